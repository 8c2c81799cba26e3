// The console: one is signed in, or signs in.

import "./styles/base.css";
import "./styles/ui.css";
import "./styles/overlay.css";
import "./styles/shell.css";
import "./styles/pages.css";
import "./styles/board.css";
import "./styles/why.css";
import "./styles/charts.css";
import "./styles/system.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { canonical } from "./router.js";
import { begin, type Session, SessionContext } from "./session.js";
import { Shell } from "./shell/shell.js";
import { SignIn } from "./shell/sign-in.js";
import { apply, chosen } from "./theme.js";
import { kept, subjectOf, takeFromAddress } from "./token.js";

apply(chosen());
canonical();
const first = takeFromAddress() ?? kept.get();

function App() {
  const [session, setSession] = useState<Session | undefined>(() => (first ? begin(first) : undefined));
  useEffect(() => {
    const handed = () => {
      const token = takeFromAddress();
      if (!token) return;
      if (session && subjectOf(token) === session.userId) session.renew(token);
      else {
        void session?.signOut();
        setSession(begin(token));
      }
    };
    addEventListener("hashchange", handed);
    return () => removeEventListener("hashchange", handed);
  }, [session]);
  const signOut = () => {
    void session?.signOut();
    history.replaceState(null, "", `${location.pathname}#/`);
    setSession(undefined);
  };
  if (!session)
    return (
      <SignIn
        onToken={(token, start) => {
          if (start?.startsWith("#/")) history.replaceState(null, "", `${location.pathname}${start}`);
          setSession(begin(token));
        }}
      />
    );
  return (
    <SessionContext.Provider value={session}>
      <Shell key={session.userId} onSignOut={signOut} />
    </SessionContext.Provider>
  );
}

const root = document.getElementById("app");
if (root) render(<App />, root);
