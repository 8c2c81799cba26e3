// A page that uses every hook, and what it shows before anything has come.

import {
  useConnection,
  useMyPresence,
  useOccupancy,
  usePresence,
  usePresenceClient,
  useSettings,
  useTrack,
  useTrackEverywhere,
} from "../../src/react/index.js";

const WEDDING = "wedding:2a4c6e80-1b3d-4f5a-8c7e-9d0b1c2d3e04";
const ORGANIZATION = "4c6e80a2-3d5f-4b7c-8e90-1f2d3e4f5a06";
const BEN = "8b7a2d44-52f3-4f0a-8f6e-0c9d2e4b5a02";

export const SHOWN_AT_FIRST = "closed loading 0 nobody loading 0 free not present not known";

export function Everything() {
  usePresenceClient();
  useTrack(WEDDING, { currentPage: "/timeline" });
  useTrackEverywhere();
  const connection = useConnection();
  const { phase, people } = usePresence(WEDDING, { people: "roster" });
  const ben = usePresence(WEDDING, (_, find) => ({ of: find.person(BEN)?.status ?? "nobody" }));
  const board = useOccupancy(ORGANIZATION);
  const desk = useOccupancy(ORGANIZATION, ({ account }) => account(BEN)?.holder ?? "free");
  const [me] = useMyPresence();
  const [settings] = useSettings();
  return (
    <p>
      {connection.state} {phase} {people.length} {ben.of} {board.phase} {board.accounts.length} {desk}{" "}
      {me.track?.status ?? "not present"} {settings?.visibility ?? "not known"}
    </p>
  );
}
