/* web_app.h - routes of the web app: the page, its parts, and what others can compare them with. */
#ifndef TACIT_SERVER_API_WEB_APP_H
#define TACIT_SERVER_API_WEB_APP_H

#include "server/api/call.h"

/* Plans the answer to a GET or HEAD of a file of the app. False: there is no such file, or "/" is
 * asked for by somebody who does not want HTML. On the loop's thread. */
bool api_web_plan(const struct api *a, const struct http_request *r, struct http_plan *plan);

#endif
