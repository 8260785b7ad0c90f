# shellcheck shell=bash
# A part of the campaign (docs/campaign.md) as a scenario.  Sourced; gives $T, $points and campaign().
#   BKP_CAMPAIGN_POINTS (50): how much of it; 0: all of it, for BKP_CAMPAIGN_MINUTES (240) each time
set -eu -o pipefail
run_sh=$(cd "$(dirname "${BASH_SOURCE[0]}")/../campaign" && pwd)/run.sh
T=$(mktemp -d)
trap 'rm -rf "$T"' EXIT
points=${BKP_CAMPAIGN_POINTS:-50}
minutes=${BKP_CAMPAIGN_MINUTES:-240}
export BKP_RELEASE=${BKP_RELEASE:-$BKP_BIN}

campaign() { # ARGUMENT...
	"$run_sh" "$@" | tee "$T/out"
	echo "proved: $(sed -n 's/^enumerated: //p' "$T/out") points; $(tail -n 1 "$T/out")" \
		"$(sed -n 's/^power: \([0-9]* \(states\|judged\|gone-on\)\)$/\1/p' "$T/out" | paste -sd, | sed 's/,/, /g')"
}

sample() { # POINTS ARGUMENT...; so many of each family
	local n=$1
	shift
	if [ "$points" = 0 ]; then
		campaign --minutes "$minutes" "$@"
	else
		campaign --workers 1 --points "$n" "$@"
	fi
}
