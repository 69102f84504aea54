#include "server/metrics.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"

#define CLASSES 5 /* 1xx to 5xx */

/* Upper ends, microseconds; one more for what is slower. */
static const uint64_t ends[] = {250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
        500000, 1000000, 2500000, 10000000};
#define BUCKETS (sizeof(ends) / sizeof(ends[0]) + 1)

struct metrics {
	size_t count;
	struct metrics_label (*label)(size_t index);
	_Atomic uint64_t bucket[BUCKETS], microseconds, counters[METRICS_COUNTERS];
	_Atomic uint64_t requests[][CLASSES]; /* count + 1 */
};

struct metrics *metrics_new(size_t count, struct metrics_label (*label)(size_t index))
{
	struct metrics *m =
	        tacit_calloc(1, sizeof(*m) + (count + 1) * CLASSES * sizeof(_Atomic uint64_t));
	if (m == NULL)
		return NULL;
	m->count = count;
	m->label = label;
	return m;
}

void metrics_free(struct metrics *m)
{
	tacit_free(m);
}

static void add(_Atomic uint64_t *counter, uint64_t n)
{
	atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

void metrics_request(struct metrics *m, size_t index, int status)
{
	size_t class = status >= 100 && status < 600 ? (size_t)status / 100 - 1 : CLASSES - 1;
	add(&m->requests[index <= m->count ? index : m->count][class], 1);
}

void metrics_add(struct metrics *m, enum metrics_counter which, uint64_t n)
{
	add(&m->counters[which], n);
}

void metrics_time(struct metrics *m, uint64_t microseconds)
{
	size_t bucket = 0;
	while (bucket < TACIT_COUNT(ends) && microseconds > ends[bucket])
		bucket++;
	add(&m->bucket[bucket], 1);
	add(&m->microseconds, microseconds);
}

static enum tacit_err write_requests(const struct metrics *m, struct tacit_buf *out)
{
	enum tacit_err err;
	TRY(tacit_buf_printf(out, "# TYPE tacit_http_requests_total counter\n"));
	for (size_t i = 0; i <= m->count; i++) {
		struct metrics_label label = {"-", "-"};
		if (i < m->count)
			label = m->label(i);
		for (size_t k = 0; k < CLASSES; k++)
			if (m->requests[i][k] > 0)
				TRY(tacit_buf_printf(out,
				        "tacit_http_requests_total{method=\"%s\",route=\"%s\","
				        "class=\"%zuxx\"} %" PRIu64 "\n",
				        label.method, label.route, k + 1,
				        (uint64_t)m->requests[i][k]));
	}
out:
	return err;
}

static enum tacit_err write_latency(const struct metrics *m, struct tacit_buf *out)
{
	enum tacit_err err;
	uint64_t sum = 0;
	TRY(tacit_buf_printf(out, "# TYPE tacit_http_request_seconds histogram\n"));
	for (size_t i = 0; i < BUCKETS; i++) {
		sum += m->bucket[i];
		if (i < TACIT_COUNT(ends))
			TRY(tacit_buf_printf(out,
			        "tacit_http_request_seconds_bucket{le=\"%g\"} %" PRIu64 "\n",
			        (double)ends[i] / 1e6, sum));
	}
	TRY(tacit_buf_printf(out,
	        "tacit_http_request_seconds_bucket{le=\"+Inf\"} %" PRIu64 "\n"
	        "tacit_http_request_seconds_sum %.6f\ntacit_http_request_seconds_count %" PRIu64
	        "\n",
	        sum, (double)m->microseconds / 1e6, sum));
out:
	return err;
}

static enum tacit_err write_counters(const struct metrics *m, struct tacit_buf *out)
{
	static const char *const names[METRICS_COUNTERS] = {
	        [METRICS_GROUP_COMMITS] = "tacit_group_commits_total",
	        [METRICS_GROUP_COMMITS_CONFLICTS] = "tacit_group_commits_conflict_total",
	        [METRICS_UNDECRYPTABLE] = "tacit_undecryptable_total",
	        [METRICS_MISSING] = "tacit_missing_total"};
	enum tacit_err err = TACIT_OK;
	for (size_t i = 0; i < METRICS_COUNTERS; i++)
		TRY(tacit_buf_printf(out, "# TYPE %s counter\n%s %" PRIu64 "\n", names[i], names[i],
		        (uint64_t)m->counters[i]));
out:
	return err;
}

static enum tacit_err write_lanes(const struct job_stats *j, struct tacit_buf *out)
{
	static const char *const names[JOB_LANES] = {[JOB_READ] = "read",
	        [JOB_WRITE] = "write",
	        [JOB_HASH] = "hash",
	        [JOB_FILE] = "file"};
	const struct {
		const char *name, *type;
		const uint64_t *values;
	} kinds[] = {{"waiting", "gauge", j->waiting}, {"finished_total", "counter", j->finished},
	        {"refused_total", "counter", j->refused}};
	enum tacit_err err = TACIT_OK;
	for (size_t k = 0; k < TACIT_COUNT(kinds); k++) {
		TRY(tacit_buf_printf(
		        out, "# TYPE tacit_lane_%s %s\n", kinds[k].name, kinds[k].type));
		for (size_t i = 0; i < JOB_LANES; i++)
			TRY(tacit_buf_printf(out, "tacit_lane_%s{lane=\"%s\"} %" PRIu64 "\n",
			        kinds[k].name, names[i], kinds[k].values[i]));
	}
out:
	return err;
}

static double resident_bytes(void)
{
	unsigned long long total, resident;
	FILE *f = fopen("/proc/self/statm", "re");
	if (f == NULL)
		return 0;
	int n = fscanf(f, "%llu %llu", &total, &resident);
	(void)fclose(f);
	return n == 2 ? (double)resident * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double cpu_seconds(void)
{
	struct rusage u;
	if (getrusage(RUSAGE_SELF, &u) != 0)
		return 0;
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

enum tacit_err metrics_write(
        const struct metrics *m, const struct metrics_view *v, struct tacit_buf *out)
{
	enum tacit_err err;
	const struct {
		const char *name, *type;
		double value;
	} simple[] = {
	        {"tacit_connections_open", "gauge", (double)v->net.connections_open},
	        {"tacit_connections_total", "counter", (double)v->net.connections_total},
	        {"tacit_connections_refused_total", "counter", (double)v->net.refused_connections},
	        {"tacit_received_bytes_total", "counter", (double)v->net.bytes_in},
	        {"tacit_sent_bytes_total", "counter", (double)v->net.bytes_out},
	        {"tacit_malformed_requests_total", "counter", (double)v->net.malformed_requests},
	        {"tacit_timeouts_total", "counter", (double)v->net.timeouts},
	        {"tacit_commits_total", "counter", (double)v->jobs.commits},
	        {"tacit_commit_seconds_total", "counter",
	                (double)v->jobs.commit_microseconds / 1e6},
	        {"tacit_committed_jobs_total", "counter", (double)v->jobs.committed_jobs},
	        {"tacit_live_sockets", "gauge", (double)v->live.sockets},
	        {"tacit_live_polling", "gauge", (double)v->live.polling},
	        {"tacit_live_events_total", "counter", (double)v->live.events_in},
	        {"tacit_live_events_refused_total", "counter", (double)v->live.refused_events},
	        {"tacit_live_frames_total", "counter", (double)v->live.frames_out},
	        {"tacit_live_frames_dropped_total", "counter", (double)v->live.dropped_frames},
	        {"tacit_transfer_ends", "gauge", (double)v->relay.ends},
	        {"tacit_transfer_ends_waiting", "gauge", (double)v->relay.waiting},
	        {"tacit_transfer_pairs_total", "counter", (double)v->relay.pairs_total},
	        {"tacit_transfer_wrong_codes_total", "counter", (double)v->relay.wrong_total},
	        {"tacit_transfer_bytes_total", "counter", (double)v->relay.bytes_total},
	        {"tacit_users", "gauge", (double)v->users},
	        {"tacit_conversations", "gauge", (double)v->conversations},
	        {"tacit_messages", "gauge", (double)v->messages},
	        {"tacit_files", "gauge", (double)v->files},
	        {"tacit_uptime_seconds", "gauge", (double)v->uptime_s},
	        {"process_resident_memory_bytes", "gauge", resident_bytes()},
	        {"process_cpu_seconds_total", "counter", cpu_seconds()},
	};
	TRY(write_requests(m, out));
	TRY(write_latency(m, out));
	TRY(write_lanes(&v->jobs, out));
	TRY(write_counters(m, out));
	for (size_t i = 0; i < TACIT_COUNT(simple); i++)
		TRY(tacit_buf_printf(out, "# TYPE %s %s\n%s %.17g\n", simple[i].name,
		        simple[i].type, simple[i].name, simple[i].value));
out:
	return err;
}
