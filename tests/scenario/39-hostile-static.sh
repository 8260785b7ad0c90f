#!/bin/bash
# Goal: the hostile media of 30 against the static program that every medium carries, under the memory limit.
set -eu
program=${BKP_RELEASE:-$BKP_BIN}/bkp-restore-static
[ -x "$program" ] || { echo "[  SKIPPED ] this build has no static bkp-restore"; exit 0; }
HOSTILE_TO=$program exec bash "$(dirname "$0")/30-hostile-medium.sh"
