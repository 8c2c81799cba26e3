//! What may be logged: activity, and the stretches of sessions, for organizations that keep a log and of people who let
//! them. Decided here, so that hiding ends it in the same instant in which it ends sight.

use model::{
    Activity, ActivityType, ChannelId, Device, ErrorCode, Metadata, MetadataKey, MetadataValue, Mono, Now,
    OrganizationId, RequestError, SessionId, Status, UserId, Wall, limits,
};
use smallvec::SmallVec;

use crate::{
    Decision, Presence,
    input::{ActivityNote, Note, StretchNote},
    people::User,
    session::{Kind, Session},
    timers::TimerKey,
};

/// A stretch of a session that is being logged.
#[derive(Debug)]
pub(crate) struct Logged {
    started: Wall,
    /// The same instant. How long it lasts is measured by the clock that nobody sets.
    began: Mono,
    device: Option<Device>,
    /// When the writer was told last.
    noted_at: Mono,
    organizations: Vec<OrganizationId>,
}

impl Logged {
    /// Whole minutes from its beginning to `at`.
    pub(crate) fn minutes_until(&self, at: Mono) -> u32 {
        u32::try_from((at - self.began) / 60_000).unwrap_or(u32::MAX)
    }

    /// That instant, as the wall clock would show it had nobody set it since the beginning.
    fn wall_at(&self, at: Mono) -> Wall {
        Wall(self.started.0.saturating_add_unsigned(at - self.began))
    }
}

impl User {
    /// The organizations in whose logs the user may be now.
    fn logging(&self) -> impl Iterator<Item = OrganizationId> {
        let allowed = self.is_admitted()
            && !self.is_hidden()
            && self.settings().is_some_and(|settings| settings.show_activity);
        let facts = self.facts().filter(|_| allowed);
        facts.into_iter().flat_map(|facts| facts.enterprise.iter().copied())
    }
}

impl Session {
    /// Whether the session exists for an organization.
    fn covers(&self, organization: OrganizationId) -> bool {
        let channel = ChannelId::Organization(organization);
        !self.signed_out && self.tracked.as_ref().is_none_or(|tracked| tracked.track.covers(channel))
    }
}

impl Presence {
    /// An activity of a user, in one of the user's sessions where one is named.
    pub(crate) fn log(
        &mut self,
        now: Now,
        user: UserId,
        session: Option<SessionId>,
        activity: Activity,
    ) -> Result<(), RequestError> {
        let own = session.filter(|id| self.sessions.get(id).is_some_and(|session| session.user == user));
        if !self.is_member(user, activity.organization) {
            return Err(RequestError::new(ErrorCode::UnknownChannel, "there is no such organization"));
        }
        match (session, own) {
            (_, Some(id)) => self.was_active(now, id),
            // For which organizations it existed, nobody knows here; so for none.
            (Some(_), None) => return Ok(()),
            (None, None) => {}
        }
        self.note_activity(now.wall, user, own, activity);
        Ok(())
    }

    /// A call without a socket that names a session of the user: a sign of life of it, as a track would be.
    pub(crate) fn rest_activity(
        &mut self,
        now: Now,
        user: UserId,
        activity: Activity,
    ) -> Result<(), RequestError> {
        let id = activity.session;
        self.log(now, user, id, activity)?;
        let own = id.and_then(|id| Some((id, self.sessions.get(&id).filter(|it| it.user == user)?.kind)));
        if let Some((id, kind)) = own {
            match kind {
                Kind::Rest => self.timers.set(TimerKey::Rest(id), now.mono + self.limits.rest_session_ms),
                Kind::Cut(_) => self.prolong_grace(now, id),
                Kind::Connected(_) => {}
            }
            self.alive(now, id);
        }
        Ok(())
    }

    /// The session is the one that was active last: page, device and custom status of the user come from it.
    fn was_active(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(tracked) = session.tracked.as_mut() else { return };
        tracked.active_at = now.mono;
        let user = session.user;
        self.refresh_user(user);
    }

    fn note_activity(&mut self, at: Wall, id: UserId, session: Option<SessionId>, activity: Activity) {
        let Some(user) = self.users.get_mut(&id) else { return };
        let lives = session.and_then(|id| self.sessions.get(&id));
        let covered = |organization: &OrganizationId| {
            activity.organization.is_none_or(|named| named == *organization)
                && lives.is_none_or(|session| session.covers(*organization))
        };
        let organizations = user.logging().filter(covered).take(limits::ACTIVITY_ORGANIZATIONS);
        let organizations: Vec<_> = organizations.collect();
        if organizations.is_empty() {
            return;
        }
        // Without a session it is no sign of presence, of which this is a part.
        if session.is_some() {
            user.last_activity = Some(activity.kind);
        }
        let Activity { kind, page, device, metadata, .. } = activity;
        let note = ActivityNote { user: id, organizations, session, at, kind, page, device, metadata };
        self.decisions.push(Decision::Note(Note::Activity(note)));
    }

    /// The status is another one, or is told to others.
    pub(crate) fn status_changed(&mut self, at: Wall, id: SessionId, before: Option<Status>, after: Status) {
        let Some(session) = self.sessions.get(&id) else { return };
        let (user, tracked) = (session.user, session.tracked.as_ref());
        let mut activity = Activity::of(ActivityType::StatusUpdate);
        activity.device = tracked.and_then(|tracked| tracked.track.device);
        let words = [(MetadataKey::Status, Some(after)), (MetadataKey::PreviousStatus, before)];
        let said =
            |(key, status): (_, Option<Status>)| Some((key, MetadataValue::Text(status?.name().into())));
        activity.metadata = words.into_iter().filter_map(said).collect();
        self.note_activity(at, user, Some(id), activity);
    }
}

/// Stretches.
impl Presence {
    /// Begins, goes on with or ends what is logged of the user's sessions, as is right from now on.
    pub(crate) fn keep_logged(&mut self, now: Now, user: UserId) {
        let Some(owner) = self.users.get_mut(&user) else { return };
        if owner.logging().next().is_none() {
            owner.last_activity = None;
        }
        let sessions: SmallVec<[SessionId; 4]> = owner.sessions.iter().copied().collect();
        for id in sessions {
            let wanted = self.logged_for(id);
            let Some(session) = self.sessions.get_mut(&id) else { continue };
            if session.logged.as_ref().is_some_and(|logged| logged.organizations == wanted) {
                continue;
            }
            self.end_logged(id, now.mono);
            self.begin_logged(now, id, wanted);
        }
    }

    /// The organizations for which the session may be logged.
    fn logged_for(&self, id: SessionId) -> Vec<OrganizationId> {
        let session = self.sessions.get(&id).filter(|session| session.tracked.is_some());
        let Some((session, user)) = session.and_then(|it| Some((it, self.users.get(&it.user)?))) else {
            return Vec::new();
        };
        let covered = user.logging().filter(|organization| session.covers(*organization));
        covered.take(limits::ACTIVITY_ORGANIZATIONS).collect()
    }

    fn begin_logged(&mut self, now: Now, id: SessionId, organizations: Vec<OrganizationId>) {
        let Some(session) = self.sessions.get_mut(&id).filter(|_| !organizations.is_empty()) else { return };
        let device = session.tracked.as_ref().and_then(|tracked| tracked.track.device);
        let logged = Logged { started: now.wall, began: now.mono, device, noted_at: now.mono, organizations };
        self.decisions.push(stretch(id, session.user, &logged, now.mono, false));
        session.logged = Some(Box::new(logged));
    }

    /// A sign of life: the stretch reaches to here.
    pub(crate) fn go_on_logged(&mut self, now: Now, id: SessionId) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(mut logged) = session.logged.take() else { return };
        if now.mono - logged.noted_at >= self.limits.last_seen_note_ms {
            logged.noted_at = now.mono;
            logged.device = session.tracked.as_ref().and_then(|tracked| tracked.track.device);
            self.decisions.push(stretch(id, session.user, &logged, now.mono, false));
        }
        session.logged = Some(logged);
    }

    /// The stretch ended at `at`.
    pub(crate) fn end_logged(&mut self, id: SessionId, at: Mono) {
        let Some(session) = self.sessions.get_mut(&id) else { return };
        let Some(logged) = session.logged.take() else { return };
        let at = at.max(logged.began);
        self.decisions.push(stretch(id, session.user, &logged, at, true));
        let duration = MetadataValue::Number(at - logged.began);
        let note = ActivityNote {
            user: session.user,
            at: logged.wall_at(at),
            organizations: logged.organizations,
            session: Some(id),
            kind: ActivityType::SessionEnd,
            page: None,
            device: logged.device,
            metadata: Metadata::from([(MetadataKey::DurationMs, duration)]),
        };
        self.decisions.push(Decision::Note(Note::Activity(note)));
    }

    /// Nothing more is written of a user who is removed.
    pub(crate) fn forget_logged(&mut self, user: UserId) {
        for id in self.users.get(&user).into_iter().flat_map(|user| &user.sessions) {
            if let Some(session) = self.sessions.get_mut(id) {
                session.logged = None;
            }
        }
    }
}

fn stretch(id: SessionId, user: UserId, logged: &Logged, seen: Mono, ended: bool) -> Decision {
    Decision::Note(Note::Stretch(StretchNote {
        user,
        session: id,
        organizations: logged.organizations.clone(),
        started: logged.started,
        seen: logged.wall_at(seen),
        ended,
        device: logged.device,
    }))
}
