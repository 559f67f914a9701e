// The one binary: everything it does is a command of src/cli.
#include "cli/cli.h"

int main(int argc, char** argv) { return vettore::RunCli(argc, argv); }
