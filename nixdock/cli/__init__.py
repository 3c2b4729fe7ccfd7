"""The command line: one small file per command, over the use cases of `nixdock.usecases`.

`main` knows every command by name and imports a command's module only to run it or to show its help.
Each of those modules has a click command called `command`, whose function returns the exit status
(None is 0). What all commands share is in `options`; the same commands as a Docker CLI plugin, in `plugin`.
"""
