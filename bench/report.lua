-- What bench/load.py reads of a run of wrk.

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'report {"requests": %d, "duration_us": %d, "bytes": %d, "p50_us": %d, "p99_us": %d, ' ..
    '"refused": %d}\n',
    summary.requests, summary.duration, summary.bytes, latency:percentile(50),
    latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
