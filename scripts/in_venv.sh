#!/bin/sh
# Runs a program of the virtual environment: `sh scripts/in_venv.sh ruff check`. For pre-commit.
folder=.venv/bin
[ -d .venv/Scripts ] && folder=.venv/Scripts
program=$1
shift
exec "$folder/$program" "$@"
