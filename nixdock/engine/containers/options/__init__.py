"""docker's own options for a container: their words, what they mean, and what docker says to bad ones.

Pure: text goes in, the Engine API's request comes out. The only files read are those that an option
names (`--env-file`, `--label-file`, seccomp profiles).
"""
