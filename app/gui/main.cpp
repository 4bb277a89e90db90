// rubato: the studio.
#include "ui/shell/start.h"

int main(int argc, char** argv) { return rubato::ui::run_studio(argc, argv); }
