"""The command line `python -m spacy bioner`: one module a command, in `commands`.

`commands/NAME.py` with a function `command` is the command NAME; a folder is a group of commands. Modules import what
they run inside the function, so that help, and every other command of spaCy, starts fast.
"""
