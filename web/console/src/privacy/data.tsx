// A copy of what is kept about oneself, and its end.

import { useId, useState } from "preact/hooks";
import { ApiError } from "../api.js";
import { useSession } from "../session.js";
import { Dialog } from "../ui/dialog.js";
import { Icon } from "../ui/icon.js";
import { Card, Failed, PageHead } from "../ui/parts.js";

const known = (error: unknown) =>
  error instanceof ApiError ? error : new ApiError("internal", 0, String(error));

export function ExportCard() {
  const { api } = useSession();
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const get = async () => {
    setBusy(true);
    setError(undefined);
    try {
      save(await api.export());
    } catch (failed) {
      setError(known(failed));
    }
    setBusy(false);
  };
  return (
    <Card title="A copy of your data">
      <p>Everything that is stored about you, and nothing about anybody else, as one JSON document.</p>
      {error && <Failed error={error} />}
      <div class="actions actions-start">
        <button type="button" class="button" disabled={busy} onClick={get}>
          <Icon name="download" />
          {busy ? "Preparing…" : "Download"}
        </button>
      </div>
    </Card>
  );
}

function save(document_: unknown): void {
  const blob = new Blob([JSON.stringify(document_, null, 2)], { type: "application/json" });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = "presence.json";
  link.click();
  // The browser has begun the download by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What has to be typed before anything is erased. */
const WORDS = "erase me";

interface Props {
  readonly onErased: (result: { archiveDone: boolean }) => void;
}

export function EraseCard({ onErased }: Props) {
  const [open, setOpen] = useState(false);
  return (
    <Card title="Erase your data">
      <p>
        Ends your sessions, clocks you out, and removes what is kept about you: settings, history, last-seen
        and activity. It cannot be taken back.
      </p>
      <div class="actions actions-start">
        <button type="button" class="button danger-quiet" onClick={() => setOpen(true)}>
          Erase…
        </button>
      </div>
      {open && <EraseDialog onClose={() => setOpen(false)} onErased={onErased} />}
    </Card>
  );
}

export function Erased({ archiveDone }: { readonly archiveDone: boolean }) {
  return (
    <>
      <PageHead title="My privacy" />
      <p class="note" role="status">
        It is erased.{!archiveDone && " Archives are still being cleaned; that goes on by itself."} You stay
        hidden until you choose to be seen.
      </p>
    </>
  );
}

function EraseDialog({ onClose, onErased }: Props & { readonly onClose: () => void }) {
  const { api } = useSession();
  const [typed, setTyped] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      onErased(await api.erase());
      onClose();
    } catch (failed) {
      setError(known(failed));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Erase all that is kept about you?" onClose={onClose}>
      <form onSubmit={submit}>
        <p>
          You are signed out everywhere, and your settings, history, last-seen and activity are removed for
          good.
        </p>
        <label for={id}>
          Type <code>{WORDS}</code> to go on
        </label>
        <input
          id={id}
          class="input"
          autoFocus
          autoComplete="off"
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        {error && <Failed error={error} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button danger" disabled={busy || typed.trim().toLowerCase() !== WORDS}>
            Erase everything
          </button>
        </div>
      </form>
    </Dialog>
  );
}
