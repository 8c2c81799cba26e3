//! `/api/jobs`: for the command line of an installation whose hub owns the database, with the service token.
//!
//! A job may take longer than a request may. So it is done in a task of its own; who asked waits a while for its report,
//! and is then told where to ask for it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use model::ErrorCode;
use persistence::{ArgumentError, Job, JobError, JobStatus, Report};
use serde::Deserialize;
use tokio::{sync::watch, time::timeout};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;
use wire::Strictly;

use super::caller::BackEnd;
use crate::{
    app::App,
    openapi::codes,
    problem::{Json, Kind, Path, Problem, Text},
};

/// How long a caller waits for a report before it is told to ask again.
const PATIENCE: Duration = Duration::from_secs(3);
/// Reports of the last runs that can be asked for.
const KEPT_RUNS: usize = 32;

type AppState = State<Arc<App>>;
type Outcome = Option<Arc<Result<Report, JobError>>>;

/// The last runs that were asked for here.
#[derive(Default)]
pub(super) struct Runs(Mutex<VecDeque<(Uuid, watch::Receiver<Outcome>)>>);

impl Runs {
    /// Begins a run, which goes on whoever waits for it.
    fn begin(&self, app: Arc<App>, job: Job) -> Uuid {
        let (said, outcome) = watch::channel(None);
        let run = Uuid::new_v4();
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.truncate(KEPT_RUNS - 1);
        runs.push_front((run, outcome));
        tokio::spawn(async move {
            let done = app.jobs.run(&job, app.hub.clock().now().wall).await;
            said.send_replace(Some(Arc::new(done)));
        });
        run
    }

    fn find(&self, run: Uuid) -> Option<watch::Receiver<Outcome>> {
        let runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.iter().find(|(id, _)| *id == run).map(|(_, outcome)| outcome.clone())
    }

    /// The report, the problem, or where to ask again.
    async fn answer(&self, run: Uuid) -> Result<Response, Problem> {
        let unknown = || Problem::new(Kind::NoJob, "no such run; only the last ones are remembered");
        let mut outcome = self.find(run).ok_or_else(unknown)?;
        let Ok(said) = timeout(PATIENCE, outcome.wait_for(Option::is_some)).await else {
            let location = [(header::LOCATION, format!("/api/jobs/runs/{run}"))];
            return Ok((StatusCode::ACCEPTED, location).into_response());
        };
        let said = said.ok().and_then(|outcome| outcome.clone());
        match said.as_deref() {
            Some(Ok(report)) => Ok(Json(report).into_response()),
            Some(Err(error)) => Err(problem(error)),
            None => Err(Problem::new(ErrorCode::Internal, "the job broke off; the failure is logged")),
        }
    }
}

/// The routes; the list of runs is theirs alone.
pub(super) fn routes() -> OpenApiRouter<Arc<App>> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(run))
        .routes(routes!(report))
        .layer(Extension(Arc::new(Runs::default())))
}

/// What a job is to do.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = JobRequest)]
struct Request {
    #[serde(default)]
    arguments: Vec<String>,
}

/// The jobs, and how each went last.
#[utoipa::path(
    get,
    path = "/api/jobs",
    tag = "jobs",
    operation_id = "jobs",
    responses((status = 200, description = "All that there are", body = Vec<JobStatus>)),
    extensions(("x-codes" = json!(codes([Kind::JobFailed])))),
    security(("serviceToken" = [])),
)]
async fn list(_: BackEnd, State(app): AppState) -> Result<Json<Vec<JobStatus>>, Problem> {
    app.jobs.list().await.map(Json).map_err(|error| problem(&error.into()))
}

/// Begins a job, and waits up to three seconds for its report. The body may be left out.
#[utoipa::path(
    post,
    path = "/api/jobs/{name}",
    tag = "jobs",
    operation_id = "runJob",
    params(("name" = String, Path, description = "The job's name")),
    request_body = Option<Request>,
    responses(
        (status = 200, description = "It is done", body = Report),
        (status = 202, description = "It goes on; Location is where to ask"),
    ),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), Kind::NoJob, Kind::JobTaken, Kind::JobFailed,
    ])))),
    security(("serviceToken" = [])),
)]
async fn run(
    _: BackEnd,
    State(app): AppState,
    Extension(runs): Extension<Arc<Runs>>,
    Path(name): Path<String>,
    Text(body): Text,
) -> Result<Response, Problem> {
    let request = match body.is_empty() {
        true => Request::default(),
        false => serde_json::from_str::<Strictly<Option<Request>>>(&body)
            .map_err(|error| Problem::new(ErrorCode::Malformed, error.to_string()))?
            .0
            .unwrap_or_default(),
    };
    let job = Job::parse(&name, &request.arguments).map_err(|error| match error {
        ArgumentError::Unknown { .. } => Problem::new(Kind::NoJob, error.to_string()),
        ArgumentError::Argument { .. } => Problem::new(ErrorCode::InvalidValue, error.to_string()),
    })?;
    let run = runs.begin(app, job);
    runs.answer(run).await
}

/// The report of a run, of the last 32. Waits up to three seconds for it.
#[utoipa::path(
    get,
    path = "/api/jobs/runs/{run}",
    tag = "jobs",
    operation_id = "jobReport",
    params(("run" = Uuid, Path, description = "The run, as `Location` named it")),
    responses(
        (status = 200, description = "It is done", body = Report),
        (status = 202, description = "It goes on; Location is where to ask"),
    ),
    extensions(("x-codes" = json!(codes([
        ErrorCode::InvalidValue.into(), Kind::NoJob, Kind::JobTaken, Kind::JobFailed,
    ])))),
    security(("serviceToken" = [])),
)]
async fn report(
    _: BackEnd,
    Extension(runs): Extension<Arc<Runs>>,
    Path(run): Path<Uuid>,
) -> Result<Response, Problem> {
    runs.answer(run).await
}

/// What is wrong, in full: only operators ask.
fn problem(error: &JobError) -> Problem {
    let kind = match error {
        JobError::Taken(_) | JobError::Busy | JobError::Elsewhere { .. } => Kind::JobTaken,
        JobError::NotArchived { .. } => ErrorCode::InvalidValue.into(),
        JobError::Stopped(_) => ErrorCode::Unavailable.into(),
        JobError::Store(store) if store.is_retryable() => ErrorCode::Unavailable.into(),
        JobError::Lost(_)
        | JobError::NotCleaned(_)
        | JobError::Archive(_)
        | JobError::Store(_)
        | JobError::Broken(_) => Kind::JobFailed,
    };
    Problem::new(kind, error.to_string())
}
