# shellcheck shell=bash
# The files of the tree, for tests that look at all of them.  Sourced; its functions print names from the current folder, one a line.
#   tree_files          those under git and those that would come under it; without git all but what a build makes
#   tree_scripts        the shell scripts among them
tree_files() {
	if git rev-parse --git-dir >/dev/null 2>&1; then
		git ls-files -co --exclude-standard | while IFS= read -r f; do [ ! -f "$f" ] || printf '%s\n' "$f"; done
	else
		find . -type f -not -path './build*' -not -path './.git/*' -not -path './out/*' | sed 's|^\./||'
	fi | sort
}

tree_scripts() {
	tree_files | grep '\.sh$'
	tree_files | grep -v '\.[a-z0-9]*$' | while IFS= read -r f; do
		! [[ $(head -n 1 "$f" | tr -d '\0') =~ ^'#!'.*[/\ ](ba)?sh( |$) ]] || printf '%s\n' "$f"
	done
}
