"""The AWS CLI, loaded once: of a command's second of processor time four fifths are spent on loading it.

Reads a JSON document a line: {"id", "argv", "env", "directory"}. Each is run by a process forked from this one, as
/usr/bin/aws would run it, with that environment and in that directory, which gets what it prints as the files `stdout` and
`stderr`; then this prints the line "ID CODE". Ends with its standard input.
"""

import json
import os
import signal
import sys
import traceback

from awscli import clidriver


def run(call):
    # The CLI said where its data are when it was loaded.
    data = {name: value for name, value in os.environ.items() if name == "AWS_DATA_PATH"}
    os.environ.clear()
    os.environ.update({**call["env"], **data})
    os.chdir(call["directory"])
    for descriptor, path, flags in (
        (0, os.devnull, os.O_RDONLY),
        (1, "stdout", os.O_WRONLY | os.O_CREAT),
        (2, "stderr", os.O_WRONLY | os.O_CREAT),
    ):
        os.dup2(os.open(path, flags, 0o600), descriptor)
    sys.argv = ["aws", *call["argv"]]
    try:
        return clidriver.main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


def main():
    # Loads the plugins as well; each command makes a driver of its own.
    clidriver.create_clidriver()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        call = json.loads(line)
        if os.fork() > 0:
            continue
        answers = os.dup(1)
        code = 1
        try:
            # The CLI may start programs of its own and wait for them.
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = run(call)
        except BaseException:
            traceback.print_exc()
        finally:
            # Shorter than PIPE_BUF: lines of several never mix.
            os.write(answers, f"{call['id']} {code}\n".encode())
            os._exit(0)


main()
