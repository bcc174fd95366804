// The log that --hlog wrote, read by HdrHistogram's own reader: summed up by tag it is the JSON's histograms, bucket by bucket.
// Usage: read.mjs RUN.hlog RUN.json
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import assert from "node:assert/strict";

const require = createRequire(process.env.TERN_HDR + "/");
const { HistogramLogReader } = require("hdr-histogram-js");

const log = readFileSync(process.argv[2], "utf8"), told = JSON.parse(readFileSync(process.argv[3], "utf8"));
const rows = told.series.rows, column = (name) => told.series.columns.indexOf(name);
const reader = new HistogramLogReader(log), sums = {}, intervals = {};
for (let h = reader.nextIntervalHistogram(); h; h = reader.nextIntervalHistogram()) {
    intervals[h.tag] = [...(intervals[h.tag] ?? []), h.totalCount];
    if (sums[h.tag]) sums[h.tag].add(h);
    else sums[h.tag] = h;
}

function buckets(h) {
    const list = [];
    for (let i = 0; i < h.countsArrayLength; i++)
        if (h.getCountAtIndex(i) > 0) list.push(h.highestEquivalentValue(h.valueFromIndex(i)) + ":" + h.getCountAtIndex(i));
    return list.join(",");
}

assert.deepEqual(Object.keys(sums).sort(), Object.keys(told.latency).sort());
for (const [tag, l] of Object.entries(told.latency)) {
    assert.equal(sums[tag].totalCount, l.n, tag);
    assert.equal(buckets(sums[tag]), l.histogram, tag);
    const counts = rows.map((row) => row[column(tag + "_n")]).filter((n) => n > 0); // the others have no line
    assert.deepEqual(intervals[tag], counts, tag);
    assert.ok(Math.abs(sums[tag].getValueAtPercentile(99) / l.percentiles_ns.p99 - 1) < 0.001, tag);
    console.log(`ok    ${tag}: ${l.n} times in ${intervals[tag].length} intervals`);
}
