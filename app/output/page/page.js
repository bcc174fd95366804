/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The page of one run, or of two that are compared. All it knows is the result's JSON in the
 * document, which holds text that a user typed: it only ever becomes the text of a node, never
 * markup. Every plot has the same figures as a table under it.
 */
(function () {
    "use strict";

    const data = JSON.parse(document.getElementById("data").textContent);
    const runs = data.runs.map((run) => ({ name: run.name, result: run.result, series: table(run.result.series) }));
    const METRICS = ["connect", "first_byte", "complete", "close", "failed"];
    const PLOT_HEIGHT = 240, COLOURS = 8, SHORT_S = 0.5;
    const plots = [];

    // ---- figures in words ----

    function number(x) {
        if (x === null || x === undefined || !isFinite(x)) return "–";
        const size = Math.abs(x);
        if (size >= 1e10) return (x / 1e9).toFixed(1) + " G";
        if (size >= 1e7) return (x / 1e6).toFixed(1) + " M";
        if (size >= 1000 || Number.isInteger(x)) return Math.round(x).toLocaleString("en");
        return size >= 10 ? x.toFixed(1) : x.toPrecision(3);
    }

    function time(ns) {
        if (ns === null || ns === undefined || !isFinite(ns)) return "–";
        const units = ["ns", "µs", "ms", "s"];
        let i = 0;
        for (; ns >= 999.5 && i < units.length - 1; i++) ns /= 1000;
        return (ns >= 99.95 || i === 0 ? ns.toFixed(0) : ns >= 9.995 ? ns.toFixed(1) : ns.toFixed(2)) + " " + units[i];
    }

    /** An axis wants the shortest: 1 ms, not 1.00 ms. */
    const shortTime = (ns) => time(ns).replace(/\.0+ /, " ").replace(/(\.\d*[1-9])0+ /, "$1 ");
    const shortNumber = (x) => (Math.abs(x) >= 1e6 ? +(x / 1e6).toFixed(2) + "M" : Math.abs(x) >= 1e4 ? +(x / 1e3).toFixed(1) + "k" : String(+x.toFixed(3)));
    const percent = (x) => (x === null || x === undefined ? "–" : (100 * x).toFixed(1) + " %");
    const words = (name) => name.replace(/_/g, " ");
    const label = (run, text) => (runs.length > 1 ? run.name + ": " + text : text);

    // ---- the document ----

    function make(tag, attributes, ...children) {
        const node = document.createElement(tag);
        for (const [key, value] of Object.entries(attributes || {})) node[key] = value;
        node.append(...children);
        return node;
    }

    function figures(columns, rows, kind) {
        const head = make("tr", {}, ...columns.map((c) => make("th", { scope: "col" }, c)));
        const body = rows.map((row) => make("tr", {}, ...row.map((cell) => (cell instanceof Node ? cell : make("td", {}, String(cell))))));
        return make("div", { className: "wide" },
            make("table", { className: "figures " + (kind || "") }, make("thead", {}, head), make("tbody", {}, ...body)));
    }

    const twin = (title, columns, rows) => make("details", {}, make("summary", {}, title), figures(columns, rows));

    function section(id, title, ...children) {
        return make("section", { id }, make("div", { className: "head" }, make("h2", {}, title)), ...children);
    }

    // ---- a run's series ----

    function table(series) {
        const at = new Map(series.columns.map((name, i) => [name, i]));
        const column = (name) => (at.has(name) ? series.rows.map((row) => row[at.get(name)]) : null);
        const lengths = column("length_s") || [];
        return {
            n: series.rows.length,
            names: series.columns,
            column,
            /** What was counted, a second; none of what is too short to have one. */
            rate: (name) => column(name) && column(name).map((x, i) => (x === null || lengths[i] < SHORT_S ? null : x / lengths[i])),
        };
    }

    const any = (column) => column !== null && column.some((x) => x !== null && x !== 0);

    // ---- plots ----

    /** The colour that a custom property has now, as the canvas takes it. */
    function colour(name) {
        const probe = make("i", { hidden: true });
        probe.style.color = "var(--" + name + ")";
        document.body.append(probe);
        const value = getComputedStyle(probe).color;
        probe.remove();
        return value;
    }

    function axis(values, more) {
        return Object.assign({
            stroke: colour("soft"), font: "12px system-ui, sans-serif", values: (u, splits) => splits.map((x) => (x === null ? "" : values(x))),
            grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, gap: 6,
        }, more);
    }

    /** Seconds that do not count stand on a shade. */
    function shade(run) {
        return (u) => {
            const phase = run.series.column("phase"), at = run.series.column("time_s"), length = run.series.column("length_s");
            u.ctx.save();
            u.ctx.fillStyle = colour("line");
            u.ctx.globalAlpha = 0.5;
            for (let i = 0; i < phase.length; i++) {
                if (phase[i] === "steady") continue;
                const from = Math.max(u.valToPos(at[i] - length[i], "x", true), u.bbox.left);
                const to = Math.min(u.valToPos(at[i], "x", true), u.bbox.left + u.bbox.width);
                if (to > from) u.ctx.fillRect(from, u.bbox.top, to - from, u.bbox.height);
            }
            u.ctx.restore();
        };
    }

    /** What lies between two powers of ten has a line of the grid, but no label. */
    const decadesOnly = (u, splits) => splits.map((v) => (Math.abs(Math.log10(v) - Math.round(Math.log10(v))) < 1e-6 ? v : null));

    const every = (u, splits) => splits;

    function drawPlot(plot) {
        const { box, lines, x, y } = plot;
        if (plot.drawn) plot.drawn.destroy();
        const series = lines.map((line) => ({
            label: line.label, stroke: colour("c" + (line.colour % COLOURS)), width: line.strong ? 2 : 1.5, dash: line.dashed ? [5, 4] : undefined,
            value: (u, v) => (v === null || v === undefined ? "–" : y.words(v)), points: { show: plot.lines[0].points.length < 3, size: 5 }, spanGaps: false,
        }));
        const joined = uPlot.join(lines.map((line) => [line.at, line.points]));
        plot.drawn = new uPlot({
            width: Math.max(box.clientWidth, 200), height: PLOT_HEIGHT,
            scales: { x: { time: false, range: x.range }, y: y.log ? { distr: 3 } : { range: (u, low, high) => [0, y.top || (high > 0 ? high * 1.08 : 1)] } },
            axes: [axis(x.short, { space: 56, splits: x.splits, incrs: x.whole }), axis(y.short, { size: 62, filter: y.log ? decadesOnly : every, grid: { stroke: colour("line"), width: 1, filter: y.log ? decadesOnly : every } })],
            series: [{ label: x.label, value: (u, v) => (v === null || v === undefined ? "–" : x.words(v)) }, ...series],
            cursor: { y: false }, legend: { live: true }, hooks: plot.shade ? { drawClear: [plot.shade] } : {},
        }, joined, box);
    }

    /** Rebuilt when colours change, resized when the box does. */
    function addPlot(box, lines, x, y, shading) {
        const plot = { box, lines, x, y, shade: shading };
        plots.push(plot);
        const fit = () => plot.drawn.setSize({ width: Math.max(box.clientWidth, 200), height: PLOT_HEIGHT });
        new ResizeObserver(() => requestAnimationFrame(fit)).observe(box);
        return plot;
    }

    const seconds = { label: "s", range: (u, low, high) => [0, high], whole: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400], short: shortNumber, words: (v) => v.toFixed(1) };
    const shadeOfFirst = () => (runs.length === 1 ? shade(runs[0]) : undefined);

    /** Lines over time: of each run, those of `wanted` in which anything is. */
    function linesOver(wanted) {
        const lines = [];
        runs.forEach((run, r) => wanted.forEach((want, i) => {
            const points = want.of(run.series);
            if (!any(points)) return;
            lines.push({ run, label: label(run, want.label), at: run.series.column("time_s"), points, colour: i, dashed: r > 0, strong: i === 0 });
        }));
        return lines;
    }

    /** The same lines as a table; two runs one under the other. */
    function linesTable(lines, words) {
        const rows = [];
        for (const run of runs) {
            const own = lines.filter((line) => line.run === run);
            if (own.length === 0) continue;
            if (rows.length === 0) rows.push(["time s", ...own.map((line) => line.label)]);
            else rows.push(["time s", ...own.map((line) => line.label)].map((t) => make("th", {}, t)));
            own[0].at.forEach((at, i) => rows.push([at.toFixed(1), ...own.map((line) => (line.points[i] === null ? "–" : words(line.points[i])))]));
        }
        return twin("The same as a table", rows[0], rows.slice(1));
    }

    function overTime(id, title, note, wanted, y) {
        const lines = linesOver(wanted);
        if (lines.length === 0) return null;
        const box = make("div", { className: "plot" });
        addPlot(box, lines, seconds, y, shadeOfFirst());
        return section(id, title, make("p", { className: "note" }, note), box, linesTable(lines, y.words));
    }

    // ---- sections ----

    function title() {
        const r = runs[0].result;
        if (runs.length > 1) return "tern compare: " + runs[0].name + " and " + runs[1].name;
        const target = r.options && r.options.target;
        return "tern " + r.command + ": " + r.scenario + (target ? " to " + target : "");
    }

    function subtitle(run) {
        const r = run.result;
        const parts = [r.device, number(r.duration_s) + " s" + (r.interrupted ? " (interrupted)" : ""), "tern " + r.tern];
        if (r.finished_at) parts.unshift(r.finished_at.replace("T", " ").replace("Z", " UTC"));
        return make("p", { className: "soft" }, label(run, parts.join(" · ")));
    }

    function verdict(run) {
        const r = run.result, good = r.valid && r.books_balance;
        const said = make("b", {}, label(run, good ? "Valid" : "Not valid"));
        const box = make("div", { className: "verdict" + (good ? "" : " bad"), id: "verdict" }, said,
            good ? ": the books balance, and the tester kept up." : r.books_balance ? ": do not trust these figures." : ": the books do not balance.");
        if (r.invalid_reasons.length > 0) box.append(make("ul", {}, ...r.invalid_reasons.map((why) => make("li", {}, why))));
        return box;
    }

    const failures = (r) => Object.values(r.connections.failed).reduce((sum, n) => sum + n, 0);
    const mainMetric = (r) => ["complete", "connect", "close"].find((m) => r.latency && r.latency[m]);

    function tiles(run) {
        const r = run.result, list = [], metric = mainMetric(r);
        const add = (name, value) => list.push(make("div", { className: "tile" }, make("span", {}, label(run, name)), make("strong", {}, value)));
        if (r.stream) add("payload", number(r.stream.bytes_per_s / 1e6) + " MB/s");
        if (r.held) add("held open", number(r.held.open));
        if (r.requests) add("requests a second", number(r.requests.per_s));
        add("connections a second", number(r.cps));
        if (metric) {
            const l = r.latency[metric].percentiles_ns;
            add(words(metric) + " p50", time(l.p50));
            add(words(metric) + " p99", time(l.p99));
            add(words(metric) + " p99.9", time(l.p99_9));
        }
        add("failed", number(failures(r)));
        add("retransmits", number(r.retransmits));
        return make("div", { className: "tiles" }, ...list);
    }

    const rateLine = (column, text) => ({ label: text, of: (s) => s.rate(column) });

    function rates() {
        const wanted = [rateLine("requests", "requests"), rateLine("established", "established"), rateLine("closed", "closed"), rateLine("failed", "failed")];
        return overTime("rates", "Rates", "A second, of this end. Shaded: what does not count.", wanted, { short: shortNumber, words: number });
    }

    function payload() {
        if (!runs.some((run) => run.result.stream)) return null;
        const mb = (column) => (s) => s.rate(column) && s.rate(column).map((x) => x / 1e6);
        return overTime("payload", "Payload", "MB a second, as it is delivered.", [{ label: "up", of: mb("up_bytes") }, { label: "down", of: mb("down_bytes") }], { short: shortNumber, words: number });
    }

    function latencyLines(metric) {
        const shown = [["p50", "p50"], ["p99", "p99"], ["p99_9", "p99.9"], ["max", "max"]];
        return linesOver(shown.map(([column, text]) => ({ label: text, of: (s) => s.column(metric + "_" + column + "_ns") })));
    }

    function latency() {
        const metrics = METRICS.filter((m) => latencyLines(m).length > 0);
        if (metrics.length === 0) return null;
        const first = metrics.includes("complete") ? "complete" : metrics[0];
        const box = make("div", { className: "plot" }), y = { short: shortTime, words: time, log: true };
        const choice = make("select", { ariaLabel: "what is timed" }, ...metrics.map((m) => make("option", { value: m, selected: m === first }, words(m))));
        const out = section("latency", "Latency over time",
            make("p", { className: "note" }, "From the intended start, so what a slow target holds up is in it. Each point is of one second alone."), box, linesTable(latencyLines(first), time));
        const plot = addPlot(box, latencyLines(first), seconds, y, shadeOfFirst());
        choice.addEventListener("change", () => {
            plot.lines = latencyLines(choice.value);
            drawPlot(plot);
            out.lastElementChild.replaceWith(linesTable(plot.lines, time));
        });
        out.firstElementChild.append(choice);
        return out;
    }

    /** "ns:count,…" to the points of a curve over log10(1 / (1 - share)), from the fastest on. */
    function curve(histogram) {
        const buckets = histogram.split(",").map((pair) => pair.split(":").map(Number));
        const total = buckets.reduce((sum, [, n]) => sum + n, 0);
        const at = [0], points = [buckets[0][0]];
        let seen = 0;
        for (const [ns, n] of buckets) {
            const x = Math.log10(total / Math.max(total - seen - n, 1));
            seen += n;
            if (x - at[at.length - 1] > 0.005 || seen === total) {
                at.push(Math.max(x, at[at.length - 1] + 1e-9));
                points.push(ns);
            }
        }
        return { at, points };
    }

    function share(x) {
        if (x < 1e-9) return "0 %";
        return (100 * (1 - Math.pow(10, -x))).toFixed(Math.max(0, Math.ceil(x) - 2)) + " %";
    }

    function percentiles() {
        const lines = [], names = [["p50", "p50"], ["p75", "p75"], ["p90", "p90"], ["p99", "p99"], ["p99_9", "p99.9"], ["p99_99", "p99.99"], ["p99_999", "p99.999"]], rows = [];
        runs.forEach((run, r) => METRICS.forEach((metric, m) => {
            const l = run.result.latency && run.result.latency[metric];
            if (!l || !l.histogram) return;
            const { at, points } = curve(l.histogram);
            lines.push({ run, label: label(run, words(metric)), at, points, colour: m, dashed: r > 0, strong: true });
            rows.push([label(run, words(metric)), number(l.n), time(l.mean_ns), ...names.map(([key]) => time(l.percentiles_ns[key])), time(l.max_ns)]);
        }));
        if (lines.length === 0) return null;
        const box = make("div", { className: "plot" });
        const x = { label: "share", short: (v) => share(v).replace(" %", ""), words: share, splits: (u, i, low, high) => [...Array(Math.ceil(high) + 1).keys()].filter((v) => v <= high) };
        addPlot(box, lines, x, { short: shortTime, words: time, log: true });
        return section("percentiles", "Latency by percentile",
            make("p", { className: "note" }, "So many per cent took no longer: each step to the right is one more nine. Drag to look closer, click twice to come back."), box,
            figures(["", "n", "mean", ...names.map(([, text]) => text), "max"], rows));
    }

    function ledgerOf(run) {
        const r = run.result, rows = [];
        const bar = (n, whole) => {
            const fill = make("i");
            fill.style.width = (whole > 0 ? 100 * n / whole : 0).toFixed(2) + "%";
            return make("td", { className: "bar" }, fill);
        };
        const ended = r.ledger ? r.ledger.counted.ended : Object.assign({ ok: r.connections.closed }, r.connections.failed);
        const whole = Object.values(ended).reduce((sum, n) => sum + n, 0);
        for (const [name, n] of Object.entries(ended)) rows.push([words(name), number(n), whole > 0 ? (100 * n / whole).toPrecision(3) + " %" : "–", bar(n, whole)]);
        if (r.ledger) for (const name of ["not_started", "late", "held_back"]) if (r.ledger[name] > 0) rows.push([words(name), number(r.ledger[name]), "", ""]);
        const out = figures([label(run, "connection ended"), "n", "share", ""], rows, "ledger");
        out.querySelectorAll("tbody tr").forEach((tr) => tr.classList.toggle("bad", tr.firstElementChild.textContent !== "ok"));
        return out;
    }

    function ledger() {
        const packets = runs.flatMap((run) => Object.entries(run.result.drops).map(([name, n]) => [label(run, words(name)), number(n)]));
        const note = "Every connection attempt that counts, under the one name it ended by" + (packets.length ? "; below, packets that were dropped." : "; no packet was dropped.");
        const out = section("ledger", "Loss ledger", make("p", { className: "note" }, note), ...runs.map(ledgerOf));
        if (packets.length > 0) out.append(figures(["packets dropped", "n"], packets));
        return out;
    }

    function workers() {
        const names = [...new Set(runs.flatMap((run) => run.series.names.filter((name) => name.startsWith("busy_"))))];
        const wanted = names.map((name) => ({ label: words(name.slice("busy_".length)), of: (s) => s.column(name) }));
        return overTime("workers", "Worker load", "The share of its time that each worker did something.", wanted, { short: (v) => (100 * v).toFixed(0) + " %", words: percent, top: 1 });
    }

    const said = (value) => (Array.isArray(value) ? value.join(", ") : value);

    function setting(run) {
        const r = run.result;
        const rows = Object.entries(r.options || {}).map(([name, value]) => [name, said(value)]);
        for (const [name, end] of Object.entries(r.ends))
            rows.push([name, [end.driver, "MTU " + end.mtu, end.rx_queues + " queues", end.steering, end.offloads, end.pages].filter(Boolean).join(" · ")]);
        return section("setting", label(run, "Setting"), figures(["option", "value"], rows, "words"));
    }

    function comparison() {
        if (!data.compare) return null;
        const out = section("compare", "Side by side: " + runs[0].name + " drawn through, " + runs[1].name + " dashed", make("p", { className: "note" }, data.compare.note));
        const options = data.compare.options.map((o) => [o.name, o.a === null ? "–" : said(o.a), o.b === null ? "–" : said(o.b)]);
        out.append(options.length > 0 ? figures(["option that differs", runs[0].name, runs[1].name], options, "words") : make("p", {}, "Both were asked the same."));
        const shown = { ns: time, share: (v) => (100 * v).toPrecision(3) + " %", count: number };
        out.append(figures(["", runs[0].name, runs[1].name, "B / A", "spread A", "spread B", ""], data.compare.rows.map((row) => [
            row.name, shown[row.unit](row.a), shown[row.unit](row.b), row.ratio === null ? "–" : row.ratio.toFixed(3),
            row.spread_a ? row.spread_a.map(shown[row.unit]).join(" … ") : "", row.spread_b ? row.spread_b.map(shown[row.unit]).join(" … ") : "",
            make("td", { className: row.verdict === "differs" ? "differs" : "" }, row.verdict)])));
        return out;
    }

    function colophon() {
        const notice = make("details", {}, make("summary", {}, "Plots by uPlot, under the MIT licence"), make("pre", {}, data.licence));
        return make("footer", {}, "Written by tern " + runs[0].result.tern + ". This page loads nothing from anywhere.", notice);
    }

    // ---- the whole ----

    const asked = location.hash.slice(1);
    if (asked === "dark" || asked === "light") document.documentElement.dataset.scheme = asked;
    document.title = title();
    const page = document.getElementById("page");
    const columns = make("div", { className: "columns" }, ...[workers(), ledger()].filter(Boolean));
    page.append(...[make("header", {}, make("h1", {}, title()), ...runs.map(subtitle)), ...runs.map(verdict), ...(data.compare ? [] : runs.map(tiles)),
        comparison(), rates(), payload(), latency(), percentiles(), columns, ...runs.map(setting), colophon()].filter(Boolean));
    plots.forEach(drawPlot); /* once their boxes have a width */
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(drawPlot));
})();
