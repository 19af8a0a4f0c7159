// The verbs of the command line, one file each. argv[0] is the verb itself; the result is the exit code: 0 yes or success, 1 no or
// failure, 2 wrong usage. Main thread only.
#pragma once

namespace exeat::cli {

enum exit_code : int { success = 0, failure = 1, wrong_usage = 2 };

int serve(int argc, char** argv);         // in exeatd
int become_exeatd(int argc, char** argv); // `exeat serve`: returns only when it fails
int check(int argc, char** argv);
int diff(int argc, char** argv);
int explain(int argc, char** argv);
int grant(int argc, char** argv);
int grants(int argc, char** argv);
int identities(int argc, char** argv);
int import(int argc, char** argv);
int keygen(int argc, char** argv);
int preset(int argc, char** argv);
int quarantine(int argc, char** argv);
int replay(int argc, char** argv);
int revoke(int argc, char** argv);
int sign(int argc, char** argv);
int state(int argc, char** argv);
int suggest(int argc, char** argv);
int top(int argc, char** argv);
int verify(int argc, char** argv);
int version(int argc, char** argv);
int help(int argc, char** argv);

} // namespace exeat::cli
