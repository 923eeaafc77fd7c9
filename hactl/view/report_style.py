"""How a report looks: light and dark, on a screen and on paper. Nothing is loaded from anywhere."""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --page: #fbfbfa; --card: #ffffff; --ink: #1b1e23; --soft: #5c6470; --edge: #dfe2e6; --grid: #eceef0;
  --done: #2f7f79; --skipped: #a9b7b6; --failed: #c0352b; --undone: #c27c0e; --unknown: #8a4fa3; --running: #3b6ea8;
  --area: #cfe3e1; --latency: #6f93bd; --on-bar: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #15181c; --card: #1d2126; --ink: #e6e8ea; --soft: #9aa3ad; --edge: #333a42; --grid: #272c33;
    --done: #4fb3a9; --skipped: #56625f; --failed: #ef6f64; --undone: #e0a13c; --unknown: #c08ad6; --running: #78a8dd;
    --area: #24433f; --latency: #6d96c6; --on-bar: #10201e;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1040px; margin: 0 auto; padding: 28px 20px 60px; }
h1 { font-size: 24px; line-height: 1.25; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 34px 0 8px; }
h3 { font-size: 14px; font-weight: 600; margin: 14px 0 4px; color: var(--soft); }
p { margin: 4px 0; }
.soft { color: var(--soft); }
.badge { display: inline-block; padding: 2px 10px; border-radius: 99px; font-weight: 600; color: var(--on-bar); }
.badge.ok { background: var(--done); } .badge.warn { background: var(--undone); }
.badge.crit { background: var(--failed); } .badge.unknown { background: var(--unknown); }
.badge.going { background: var(--running); }
.warn { color: var(--undone); } .crit { color: var(--failed); } .unknown { color: var(--unknown); }
.badge.warn, .badge.crit, .badge.unknown { color: var(--on-bar); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 10px; margin: 18px 0; }
.tile { background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 10px 14px; }
.tile b { display: block; font-size: 22px; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile.bad b { color: var(--failed); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 10px 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); }
th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--edge); vertical-align: top; overflow-wrap: anywhere; }
td.n { white-space: nowrap; }
figure { margin: 0 0 6px; background: var(--card); border: 1px solid var(--edge); border-radius: 8px; padding: 12px; }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; fill: var(--soft); }
svg .bar { rx: 3px; } svg .done { fill: var(--done); } svg .skipped { fill: var(--skipped); }
svg .failed, svg .failures { fill: var(--failed); } svg .undone, svg .undoing { fill: var(--undone); }
svg .unknown { fill: var(--unknown); } svg .running { fill: var(--running); }
svg .prepare, svg .teardown { fill: var(--skipped); } svg .restore { fill: var(--running); }
svg .start { fill: var(--done); } svg .check { fill: var(--latency); }
svg .available { fill: var(--area); } svg .short { fill: var(--failed); } svg .latency { fill: var(--latency); }
svg .line { fill: none; stroke: var(--done); stroke-width: 2; }
svg .minimum { stroke: var(--failed); stroke-width: 1.5; stroke-dasharray: 5 4; }
svg .grid { stroke: var(--grid); } svg .base { stroke: var(--edge); }
svg .break { stroke: var(--soft); stroke-dasharray: 2 3; }
svg .axis-name { text-anchor: end; } svg .tick { text-anchor: middle; } svg .in-bar { fill: var(--on-bar); }
.legend span { margin-right: 14px; white-space: nowrap; }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 5px; }
i.done { background: var(--done); } i.skipped { background: var(--skipped); } i.failed { background: var(--failed); }
i.undone { background: var(--undone); } i.unknown { background: var(--unknown); }
details { border-bottom: 1px solid var(--edge); padding: 4px 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { margin: 6px 0; padding: 10px; background: var(--card); border: 1px solid var(--edge); border-radius: 6px;
  white-space: pre-wrap; overflow-wrap: anywhere; max-height: 340px; overflow-y: auto; }
footer { margin-top: 40px; color: var(--soft); font-size: 13px; overflow-wrap: anywhere; }
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --edge: #bbb; --grid: #ddd; --on-bar: #fff;
    --done: #2f7f79; --failed: #c0352b; --undone: #b06f08; --unknown: #8a4fa3; --area: #dbe9e8; --latency: #6f93bd; }
  body { font-size: 11pt; } main { max-width: none; padding: 0; }
  figure, tr, details { break-inside: avoid; } h2 { break-after: avoid; } pre { max-height: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""
