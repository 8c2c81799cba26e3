//! The looks of the page: two palettes, one column on a telephone, two on a desk.

pub(super) const STYLE: &str = "
:root { color-scheme: light dark; --page: #ffffff; --card: #f6f7f9; --ink: #1b1f24; --soft: #5b6470;
  --rule: #d9dde3; --hub: #2563c9; --floor: #97a0ac; --good: #18794e; --bad: #c3262c; }
@media (prefers-color-scheme: dark) { :root { --page: #14171b; --card: #1c2026; --ink: #e8eaed; --soft: #9aa4b0;
  --rule: #333a43; --hub: #6ea3ff; --floor: #727c89; --good: #5bc98c; --bad: #ff8a80; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; }
main { max-width: 1280px; margin: 0 auto; padding: 16px; }
h1 { font-size: 1.6rem; margin: 8px 0; } h1 span { font-size: 1rem; margin-left: 8px; }
h2 { font-size: 1.2rem; margin: 36px 0 8px; padding-top: 12px; border-top: 1px solid var(--rule); }
h3 { font-size: 0.95rem; margin: 0 0 4px; }
a { color: inherit; }
.good { color: var(--good); } .bad { color: var(--bad); } .facts, small, .soft { color: var(--soft); }
pre { background: var(--card); padding: 8px 12px; border-radius: 6px; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: 0.85rem; }
ul { padding-left: 20px; } small { display: block; font-size: 0.75rem; white-space: nowrap; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.875rem; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; text-align: right; border-bottom: 1px solid var(--rule); vertical-align: top; }
thead th { font-weight: 600; vertical-align: bottom; color: var(--soft); }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
td:first-child { min-width: 8em; } td.text { text-align: left; }
.cards { columns: 2 400px; column-gap: 16px; margin: 12px 0; }
.cards > * { break-inside: avoid; margin-bottom: 16px; }
.card, figure { background: var(--card); border-radius: 8px; padding: 12px; min-width: 0; }
figure { margin: 0; }
figure.bars { max-width: 760px; } figcaption { color: var(--soft); font-size: 0.8rem; }
svg { display: block; width: 100%; height: auto; } svg text { font-size: 12px; fill: var(--soft); }
svg text.name { fill: var(--ink); font-weight: 600; }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .base { stroke: var(--soft); stroke-width: 1; }
svg .mark { stroke: var(--ink); stroke-width: 1; stroke-dasharray: 2 3; }
svg .hub { fill: var(--hub); } svg .floor { fill: var(--floor); }
svg polyline { fill: none; stroke-width: 2; stroke-linejoin: round; }
svg .hub-line { stroke: var(--hub); } svg .floor-line { stroke: var(--floor); stroke-dasharray: 5 4; }
";
