//! `jobs`: what keeps the database in order, by hand. Through the running hub where it owns the database.

use std::{io::Write, sync::Arc};

use chrono::{DateTime, SecondsFormat};
use persistence::{Job, JobStatus, Report, Runner, Store};
use reqwest::{
    Client, Method, StatusCode,
    header::{HeaderValue, LOCATION},
};
use serde_json::json;

use super::CommandError;
use crate::{
    cli::{ConfigArgs, JobsArgs, JobsCommand},
    config::Config,
    store,
};

/// `jobs`: does one, or lists them all.
///
/// # Errors
/// [`CommandError`] says why it was not done, or what is left of it.
pub fn jobs(args: &JobsArgs, out: &mut impl Write) -> Result<(), CommandError> {
    match &args.command {
        JobsCommand::Run(args) => run(&args.config, &args.name, &args.arguments, out),
        JobsCommand::List(args) => list(&args.config, out),
    }
}

fn run(
    config: &ConfigArgs,
    name: &str,
    arguments: &[String],
    out: &mut impl Write,
) -> Result<(), CommandError> {
    let config = Config::load(&config.sources())?;
    let job = Job::parse(name, arguments)?;
    let report = super::runtime()?.block_on(async {
        match Way::find(&config).await? {
            Way::Store(store) => {
                let options = config.job_options();
                let now = (options.wall)();
                let done = Runner::new(store.clone(), options).run(&job, now).await;
                store.close().await;
                done.map_err(CommandError::from)
            }
            Way::Hub(hub) => hub.run(name, arguments).await,
        }
    })?;
    writeln!(out, "{name}: {report}")?;
    if report.is_complete() { Ok(()) } else { Err(CommandError::Incomplete) }
}

fn list(config: &ConfigArgs, out: &mut impl Write) -> Result<(), CommandError> {
    let config = Config::load(&config.sources())?;
    let jobs: Vec<JobStatus> = super::runtime()?.block_on(async {
        match Way::find(&config).await? {
            Way::Store(store) => {
                let listed = Runner::new(store.clone(), config.job_options()).list().await;
                store.close().await;
                listed.map_err(CommandError::from)
            }
            Way::Hub(hub) => Ok(hub.ask(Method::GET, "/api/jobs", &[]).await?.json().await?),
        }
    })?;
    for job in jobs {
        writeln!(out, "{:<16} {:<8} {}", job.name, rhythm(job.every_s), job.about)?;
        writeln!(out, "{:<25} {}", "", last(&job))?;
    }
    Ok(())
}

fn rhythm(every_s: Option<u64>) -> String {
    match every_s {
        None => "by hand".to_owned(),
        Some(s) if s % 3_600 == 0 => format!("{} h", s / 3_600),
        Some(s) if s % 60 == 0 => format!("{} min", s / 60),
        Some(s) => format!("{s} s"),
    }
}

fn last(job: &JobStatus) -> String {
    let Some(finished) = job.finished.and_then(DateTime::from_timestamp_millis) else {
        return "never done".to_owned();
    };
    let report = job.report.as_ref().map(Report::to_string).unwrap_or_default();
    format!("{}: {report}", finished.to_rfc3339_opts(SecondsFormat::Secs, true))
}

/// How the database is reached.
enum Way {
    Store(Arc<dyn Store>),
    Hub(RunningHub),
}

impl Way {
    async fn find(config: &Config) -> Result<Self, CommandError> {
        match store::open(config).await {
            Ok(store) => Ok(Self::Store(store)),
            Err(error) if error.is_owned() => RunningHub::of(config).map(Self::Hub),
            Err(error) => Err(error.into()),
        }
    }
}

/// The hub that owns the database.
struct RunningHub {
    client: Client,
    origin: String,
    token: String,
}

impl RunningHub {
    fn of(config: &Config) -> Result<Self, CommandError> {
        let token = config.auth.service_token().ok_or(CommandError::NoServiceToken)?.expose().to_owned();
        let client = Client::builder().no_proxy().build()?;
        Ok(Self { client, origin: format!("http://{}", config.listen.socket_address()), token })
    }

    /// Begins a job, and asks for its report until there is one.
    async fn run(&self, name: &str, arguments: &[String]) -> Result<Report, CommandError> {
        let mut answer = self.ask(Method::POST, &format!("/api/jobs/{name}"), arguments).await?;
        while answer.status() == StatusCode::ACCEPTED {
            let location = answer.headers().get(LOCATION).map(HeaderValue::to_str);
            let Some(Ok(path)) = location else { return Err(refused(answer).await) };
            answer = self.ask(Method::GET, path, &[]).await?;
        }
        Ok(answer.json().await?)
    }

    async fn ask(
        &self,
        method: Method,
        path: &str,
        arguments: &[String],
    ) -> Result<reqwest::Response, CommandError> {
        let request = self.client.request(method, format!("{}{path}", self.origin)).bearer_auth(&self.token);
        let request = match arguments {
            [] => request,
            _ => request.json(&json!({ "arguments": arguments })),
        };
        let answer = request.send().await?;
        if answer.status().is_success() { Ok(answer) } else { Err(refused(answer).await) }
    }
}

async fn refused(answer: reqwest::Response) -> CommandError {
    let status = answer.status().as_u16();
    CommandError::Refused { status, problem: answer.text().await.unwrap_or_default() }
}

#[cfg(test)]
mod tests;
