#include <curses.h>
#include <stdio.h>

int main(void) {
    printf("%.7s, version " PACKAGE_VERSION "\n", curses_version());
    return 0;
}
