//! How pages look: light and dark, nothing from elsewhere.

pub(super) const STYLE: &str = "\
:root{color-scheme:light dark;--text:#1c1d20;--quiet:#5d6169;--ground:#fff;--line:#d6d8dc;--mark:#2b63a8;--box:#f4f5f7;\
--good:#1d6b35;--bad:#a3262a}\
@media (prefers-color-scheme:dark){:root{--text:#e7e8ea;--quiet:#a3a8b0;--ground:#16171a;--line:#3a3d43;--mark:#7fb2f0;\
--box:#212328;--good:#7ed39a;--bad:#ff9a98}}\
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground);max-width:72em;margin:2em auto;padding:0 1em}\
h1{font-size:1.6em}h2{font-size:1.2em;margin-top:2em}h3{font-size:1em;margin:0 0 .3em}\
.scroll{overflow-x:auto}table{border-collapse:collapse;margin:.5em 0}\
th,td{text-align:left;vertical-align:top;padding:.25em .8em .25em 0;border-bottom:1px solid var(--line)}\
th{white-space:nowrap}td{font-variant-numeric:tabular-nums}\
.note,figcaption{color:var(--quiet)}li{margin:.4em 0}figure{margin:1em 0}\
.better{border-left:4px solid var(--good);padding-left:.6em}.worse{border-left:4px solid var(--bad);padding-left:.6em}\
.open{border-left:4px solid var(--line);padding-left:.6em}\
svg{width:100%;height:auto;max-width:60em}svg text{font:13px system-ui,sans-serif;fill:var(--text)}\
svg .tick{fill:var(--quiet);font-size:11px}svg .grid{stroke:var(--line);stroke-width:1}\
svg .zero{stroke:var(--text);stroke-width:1;stroke-dasharray:3 3}\
svg .bar{stroke:var(--mark);stroke-width:3}svg .point{fill:var(--mark)}\
section.item{background:var(--box);padding:.8em 1em;margin:1em 0;border-radius:6px}\
.question,pre{white-space:pre-wrap;overflow-wrap:anywhere}pre{font:13px/1.45 ui-monospace,monospace;margin:.3em 0}\
summary{cursor:pointer}";
