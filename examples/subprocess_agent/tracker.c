/* Slime volleyball in C: stand a little behind where the ball will come down, and jump at a low ball.

   cc -O2 -o tracker tracker.c -lm && arena match "cmd:./tracker" random --games 20

   It looks for what it needs in each line instead of reading JSON in full, which the protocol makes easy: an "act"
   has its observation as one flat list. See README.md. */

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOOP, FORWARD, FORWARD_JUMP, JUMP, BACKWARD_JUMP, BACKWARD }; /* the six actions of the game */
enum { X = 0, BALL_X = 4, BALL_Y, BALL_VX, BALL_VY, NUMBERS = 12 };  /* where what lies in an observation */

static const double GRAVITY = 2.94, WALL = 2.35, HEAD = 0.35, HOME = 1.2; /* units of the observation */

/* Read the list that follows "obs": into numbers; how many there are. */
static int observe(const char *line, double *numbers)
{
    const char *at = strstr(line, "\"obs\":[");
    int count = 0;
    if (!at)
        return 0;
    for (at += strlen("\"obs\":["); count < NUMBERS; at++) {
        char *end;
        numbers[count++] = strtod(at, &end);
        if (*end != ',')
            break;
        at = end;
    }
    return count;
}

static int decide(const double *seen)
{
    double drop = fmax(seen[BALL_Y] - HEAD, 0);
    double seconds = (seen[BALL_VY] + sqrt(seen[BALL_VY] * seen[BALL_VY] + 2 * GRAVITY * drop)) / GRAVITY;
    double landing = seen[BALL_X] + seen[BALL_VX] * seconds;
    if (landing > WALL)
        landing = 2 * WALL - landing;
    double away = (landing > 0 ? landing + 0.05 : HOME) - seen[X]; /* x grows backward, from the fence */
    int jump = landing > 0 && fabs(seen[BALL_X] - seen[X]) < 0.25 && seen[BALL_Y] < 0.5;
    if (away < -0.03)
        return jump ? FORWARD_JUMP : FORWARD;
    if (away > 0.03)
        return jump ? BACKWARD_JUMP : BACKWARD;
    return jump ? JUMP : NOOP;
}

int main(void)
{
    static char line[1 << 16];
    double seen[NUMBERS];
    setvbuf(stdout, NULL, _IOLBF, 0); /* every line goes out at once */
    while (fgets(line, sizeof line, stdin)) {
        if (strstr(line, "\"type\":\"hello\"")) {
            if (!strstr(line, "\"id\":\"SlimeVolley"))
                puts("{\"error\":\"plays slime volleyball and nothing else\"}");
            else
                puts("{\"type\":\"hello\",\"protocol\":1}");
        } else if (strstr(line, "\"type\":\"act\"")) {
            if (observe(line, seen) < NUMBERS) {
                fprintf(stderr, "an observation of less than %d numbers\n", NUMBERS);
                return 1;
            }
            printf("{\"action\":%d}\n", decide(seen));
        } else if (strstr(line, "\"type\":\"bye\"")) {
            break;
        }
    }
    return 0;
}
