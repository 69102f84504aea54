/* draw.h - puts a frame on the terminal. */
#ifndef TACIT_CLI_SCREEN_DRAW_H
#define TACIT_CLI_SCREEN_DRAW_H

#include "cli/screen/frame.h"

void draw_styles(void); /* once the terminal is open */
void draw_frame(const struct frame *f);

#endif
