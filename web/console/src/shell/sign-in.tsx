// Signing in: with the platform's token; in a demo, as somebody who can be tried out.

import { useEffect, useState } from "preact/hooks";
import { personas } from "../api.js";
import type { Persona } from "../contract.js";
import { subjectOf } from "../token.js";
import { Avatar, Words } from "../ui/parts.js";

interface Props {
  readonly onToken: (token: string, start?: string) => void;
}

export function SignIn({ onToken }: Props) {
  const [people, setPeople] = useState<readonly Persona[]>();
  useEffect(() => {
    document.title = "Sign in · Presence";
    void personas().then(setPeople);
  }, []);
  const demo = people !== undefined && people.length > 0;
  return (
    <main id="main" class="sign-in" tabIndex={-1}>
      <svg class="mark mark-large" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
        <rect class="mark-box" width="32" height="32" rx="9" />
        <circle class="mark-dot" cx="13" cy="16" r="6" />
        <circle class="mark-dot mark-other" cx="22.5" cy="16" r="3.5" />
      </svg>
      <h1>{demo ? "Who would you like to be?" : "Presence"}</h1>
      <p class="lead">
        {demo
          ? "Each of them sees the same people and accounts as they may see them. Open a second one in a private window, and watch them side by side."
          : "Who is here, as you may see it."}
      </p>
      {demo && (
        <ul class="personas">
          {people.map((persona) => (
            <li key={persona.id}>
              <button type="button" class="persona" onClick={() => onToken(persona.token, persona.start)}>
                <Avatar name={persona.name} />
                <span class="persona-text">
                  <Words text={persona.name} class="persona-name" />
                  <span class="hint">{persona.says}</span>
                </span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {people !== undefined &&
        (demo ? (
          <details class="with-token">
            <summary>Sign in with a token instead</summary>
            <TokenForm onToken={onToken} />
          </details>
        ) : (
          <TokenForm onToken={onToken} />
        ))}
    </main>
  );
}

function TokenForm({ onToken }: Props) {
  const [token, setToken] = useState("");
  const [wrong, setWrong] = useState(false);
  const submit = (event: Event) => {
    event.preventDefault();
    const said = token.trim();
    if (subjectOf(said)) onToken(said);
    else setWrong(true);
  };
  return (
    <form class="card token-form" onSubmit={submit}>
      <label for="token">Your platform's token</label>
      <textarea
        id="token"
        class="input token-input"
        rows={4}
        autoComplete="off"
        spellcheck={false}
        placeholder="eyJ…"
        value={token}
        aria-invalid={wrong}
        aria-describedby="token-hint"
        onInput={(event) => {
          setToken(event.currentTarget.value);
          setWrong(false);
        }}
      />
      <p class="hint" id="token-hint">
        It stays in this tab until you sign out or close it. Your platform can open this page signed in, with
        the token behind <code>#token=</code>.
      </p>
      {wrong && (
        <p class="note note-bad" role="alert">
          This is no token of a user.
        </p>
      )}
      <div class="actions">
        <button type="submit" class="button primary" disabled={token.trim() === ""}>
          Sign in
        </button>
      </div>
    </form>
  );
}
