// The command line: parses it, runs the command, prints errors, gives the exit code.
#pragma once

namespace vettore {

// 0: done. 1: failed. 2: the command line is wrong. 130: interrupted.
int RunCli(int argc, char** argv);

}  // namespace vettore
