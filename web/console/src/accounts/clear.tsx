// Ending somebody's hold of an account, with a reason that is kept.

import { useId, useState } from "preact/hooks";
import { ApiError } from "../api.js";
import type { NamedAccount } from "../contract.js";
import { clock } from "../format.js";
import { useSession } from "../session.js";
import { Dialog } from "../ui/dialog.js";
import { Failed } from "../ui/parts.js";
import type { Named } from "./row.js";

interface Props {
  readonly account: NamedAccount;
  /** Whose hold is meant: if somebody else is there when it is confirmed, nothing is done. */
  readonly holder: Named;
  readonly onClose: () => void;
}

export function ClearDialog({ account, holder, onClose }: Props) {
  const { api } = useSession();
  const [reason, setReason] = useState("");
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  // One for the dialog: asked again after a lost answer it is done once.
  const [opId] = useState(() => crypto.randomUUID());
  const id = useId();
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      await api.clear(account.accountId, holder.userId, reason.trim(), opId);
      onClose();
    } catch (failed) {
      setError(failed instanceof ApiError ? failed : new ApiError("internal", 0, String(failed)));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Clear this account?" onClose={onClose}>
      <form onSubmit={submit}>
        <p>
          <bdi>{holder.displayName}</bdi> has been in <bdi>{account.name}</bdi> since {clock(holder.since)}.
          They are clocked out at once, and told so.
        </p>
        <label for={id}>Reason</label>
        <input
          id={id}
          class="input"
          maxLength={100}
          required
          autoFocus
          autoComplete="off"
          placeholder="Forgot to clock out"
          value={reason}
          aria-describedby={`${id}-hint`}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        <p class="hint" id={`${id}-hint`}>
          It is kept with your name in the organization's record.
        </p>
        {error && <Failed error={error} />}
        <div class="actions">
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="button danger" disabled={busy || reason.trim() === ""}>
            Clear account
          </button>
        </div>
      </form>
    </Dialog>
  );
}
