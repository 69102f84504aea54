#include "server/web/web.h"

#include <stdio.h>
#include <string.h>

#include "support/tap.h"

#define BYTES                                                                                      \
	{                                                                                          \
		(const uint8_t *)"x", 1                                                            \
	}
static const struct web_file files[] = {
        {"/", "text/html", "t0", false, true, {BYTES, BYTES, BYTES}},
        {"/assets/app.js", "text/javascript", "t1", true, false, {BYTES, BYTES, BYTES}},
        {"/assets/icon.png", "image/png", "t2", true, false, {BYTES, {0, 0}, {0, 0}}},
        {"/assets/gz.js", "text/javascript", "t3", true, false, {BYTES, BYTES, {0, 0}}},
};
static const struct web_bundle bundle = {"00", files, TACIT_COUNT(files)};

static void files_are_found_by_their_whole_path(void)
{
	CHECK(web_find(&bundle, TACIT_STR("/")) == &files[0]);
	CHECK(web_find(&bundle, TACIT_STR("/assets/app.js")) == &files[1]);
	CHECK(web_find(&bundle, TACIT_STR("/assets/app.jsx")) == NULL);
	CHECK(web_find(&bundle, TACIT_STR("/assets/app.j")) == NULL);
	CHECK(web_find(&bundle, TACIT_STR("")) == NULL);
	CHECK(web_find(NULL, TACIT_STR("/")) == NULL);
}

static void chosen(const struct web_file *f, const char *accept, enum web_coding want)
{
	enum web_coding got = web_choose(f, tacit_cstr(accept));
	if (!CHECK_INT(got, want))
		printf("# %s\n", accept);
}

static void the_smallest_coding_that_is_allowed(void)
{
	const struct web_file *all = &files[1], *plain = &files[2], *gzip = &files[3];
	chosen(all, "gzip, deflate, br, zstd", WEB_BROTLI);
	chosen(all, "gzip, deflate", WEB_GZIP);
	chosen(all, "GZip", WEB_GZIP);
	chosen(all, "br;q=0.1,gzip;q=1.0", WEB_BROTLI);
	chosen(all, "*", WEB_BROTLI);
	chosen(gzip, "br, gzip", WEB_GZIP);
	chosen(gzip, "br", WEB_IDENTITY);
	chosen(plain, "br, gzip, *", WEB_IDENTITY);
}

static void a_coding_that_is_refused_is_not_sent(void)
{
	const struct web_file *all = &files[1];
	chosen(all, "br;q=0, gzip", WEB_GZIP);
	chosen(all, "br ; q=0.000 ,gzip;q=0.001", WEB_GZIP);
	chosen(all, "*;q=0", WEB_IDENTITY);
	chosen(all, "br;q=0, *", WEB_GZIP);
	chosen(all, "gzip;Q=0,br;Q=0", WEB_IDENTITY);
	chosen(all, "identity", WEB_IDENTITY);
	chosen(all, "", WEB_IDENTITY);
}

static void what_makes_no_sense_names_no_coding(void)
{
	const struct web_file *all = &files[1];
	chosen(all, ",,;;,=", WEB_IDENTITY);
	chosen(all, "brr, xbr, b r, g", WEB_IDENTITY);
	chosen(all, "\"br\"", WEB_IDENTITY);
	chosen(all, ", \t br\t", WEB_BROTLI);
	CHECK_INT(web_choose(all, tacit_bytes(NULL, 0)), WEB_IDENTITY);
}

static const struct tap_case cases[] = {
        {"files are found by their whole path", files_are_found_by_their_whole_path},
        {"the smallest coding that is allowed", the_smallest_coding_that_is_allowed},
        {"a coding that is refused is not sent", a_coding_that_is_refused_is_not_sent},
        {"what makes no sense names no coding", what_makes_no_sense_names_no_coding},
};

int main(int argc, char **argv)
{
	return tap_main(argc, argv, cases, TACIT_COUNT(cases));
}
