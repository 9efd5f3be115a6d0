/** The report's style sheet. */
export const styleSheet = `
:root { color-scheme: light; --ink: #1d2733; --soft: #5a6673; --line: #e2e7ec; --paper: #f5f7f9; --good: #0a7a52; --bad: #b3361f; --open: #7a6512; }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 20px 64px; }
header h1 { margin: 0 0 4px; font-size: 28px; line-height: 1.25; }
header p { margin: 0; color: var(--soft); }
a { color: #0062a3; }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 20px 24px; margin-top: 22px; }
h2 { margin: 0 0 12px; font-size: 18px; }
h3 { margin: 0 0 6px; font-size: 14px; color: var(--soft); font-weight: 600; }
.note { color: var(--soft); font-size: 13px; margin: 8px 0 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 12px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
thead th { border-bottom: 2px solid #c9d1d9; font-weight: 600; }
tr.group th { color: var(--soft); font-size: 13px; font-weight: 600; padding-top: 16px; text-align: left; }
td.best { font-weight: 700; }
td.constant, th.constant { color: var(--soft); }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 6px; }
figure { margin: 0; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 0 0 10px; font-size: 13.5px; }
.dashes { display: inline-block; width: 18px; margin-right: 6px; border-top: 2px dashed #111; vertical-align: middle; }
.claims { display: grid; gap: 10px; margin: 0; padding: 0; list-style: none; }
.claims li { display: grid; grid-template-columns: 108px 1fr; gap: 14px; border-top: 1px solid var(--line); padding-top: 10px; }
.claims li:first-child { border-top: 0; padding-top: 0; }
.verdict { font-size: 13px; font-weight: 600; border-radius: 999px; padding: 2px 10px; align-self: start; text-align: center; white-space: nowrap; }
.held { color: var(--good); background: #e3f4ec; }
.did-not-hold { color: var(--bad); background: #fbe9e5; }
.undecided { color: var(--open); background: #f6f0d6; }
.evidence { color: var(--soft); font-size: 13.5px; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(420px, 1fr)); gap: 20px; }
svg { max-width: 100%; height: auto; display: block; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 16px; }
.sample { border: 1px solid var(--line); border-radius: 8px; overflow: hidden; }
.sample img { display: block; width: 100%; background: #fff; border-bottom: 1px solid var(--line); image-rendering: auto; }
.sample div { padding: 10px 12px; }
.sample .question { margin: 0 0 4px; }
.sample .expected { margin: 0 0 8px; color: var(--soft); font-size: 13px; }
.sample ul { list-style: none; margin: 0; padding: 0; font-size: 13.5px; }
.sample li { display: flex; justify-content: space-between; gap: 10px; border-top: 1px solid var(--line); padding: 3px 0; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.answer { text-align: right; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 16px; margin: 0; }
dt { color: var(--soft); } dd { margin: 0; }
details { margin-top: 14px; }
details pre { background: var(--paper); border-radius: 6px; padding: 12px; overflow: auto; font-size: 12.5px; line-height: 1.45; }
summary { cursor: pointer; font-weight: 600; }
`;
