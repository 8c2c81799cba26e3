// How many are active now, for the badge in the navigation.

import { useEffect, useState } from "preact/hooks";
import { type Mine, mayAdminister } from "../contract.js";
import { useSession } from "../session.js";

/** The hub has a new figure four times as often. Milliseconds. */
const EVERY_MS = 60_000;

/** Those active in the organizations whose reports the user may read; `undefined`: there are none, or it is not known. */
export function useActiveNow(mine: Mine | undefined): number | undefined {
  const { api } = useSession();
  const [active, setActive] = useState<number>();
  const reports = mine?.organizations.filter(
    ({ role, plan }) => mayAdminister(role) && plan === "enterprise",
  );
  const ids = reports?.map(({ organizationId }) => organizationId).join(" ") ?? "";
  useEffect(() => {
    if (ids === "") return undefined;
    let over = false;
    const ask = async () => {
      if (document.visibilityState === "hidden") return;
      const today = new Date().toISOString().slice(0, 10);
      const asked = ids.split(" ").map((id) => api.report(id, today, today, "UTC"));
      const counts = await Promise.all(asked).catch(() => undefined);
      if (counts && !over) setActive(counts.reduce((sum, { activeNow }) => sum + activeNow, 0));
    };
    void ask();
    const timer = setInterval(() => void ask(), EVERY_MS);
    return () => {
      over = true;
      clearInterval(timer);
    };
  }, [api, ids]);
  return active;
}
