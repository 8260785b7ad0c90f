/* policy: what is refused, where it says the fault stands, and what it says.
 *
 * Each row is a whole policy with one fault (or the number of errors given), its line and column, its code,
 * and a part of the message and of the hint that the person sees. */
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "faults.h"
#include "base/err.h"
#include "format/policy/policy.h"

#define SITE  "site: {name: A}\n"
#define DATA  "datasets: [{name: a, paths: [/a]}]\n"
#define MEDIA "media: [{name: m, type: hdd, path: /m}]\n"
/* keys of a data set with paths (line 6, column 5), of one without (5, 5), of a medium (7, 5), of the top (4,
 * 1) */
#define D(keys) SITE MEDIA "datasets:\n  - name: a\n    paths: [/a]\n    " keys "\n"
#define C(keys) SITE MEDIA "datasets:\n  - name: a\n    " keys "\n"
#define M(keys) SITE DATA "media:\n  - name: m\n    type: hdd\n    path: /m\n    " keys "\n"
#define T(keys) SITE DATA MEDIA keys "\n"

/* a pool: line 8, column 5 */
#define P(keys)                                                                                              \
	SITE DATA "media:\n  - {name: m, type: hdd, path: /m}\n  - {name: A, type: rdx, offline: true}\n"    \
		  "  - {name: B, type: rdx, offline: true, datasets: [a]}\npools:\n  - {" keys "}\n"
#define PLACED(keys)                                                                                         \
	SITE DATA "places: [{name: r, originals: true}, {name: b, separate_from: [r]}]\nmedia:\n"            \
		  "  - {name: A, type: rdx, offline: true, place: b}\n"                                      \
		  "  - {name: B, type: rdx, offline: true, place: r}\npools:\n  - {" keys "}\n"

#define TEXT_50	 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
#define TEXT_201 TEXT_50 TEXT_50 TEXT_50 TEXT_50 "f"
#define TEXT_601                                                                                             \
	TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 TEXT_50 "f"

/* clang-format off */
static const struct bad table[] = {
	/* the file */
	{"", 1, 1, "01", "holds no policy", "ready-made", 0},
	{"# only a comment\n", 1, 1, "01", "holds no policy", "", 0},
	{"---\n...\n", 1, 1, "01", "holds no policy", "", 0},
	{"just words\n", 1, 1, "07", "'policy' must be a table", "", 0},
	{"- a\n- b\n", 1, 1, "07", "'policy' must be a table", "", 0},
	{SITE "people: [{name: \x8e\x96\x96\xb1, roles: [manager]}]\n", 2, 17, "02", "not UTF-8 (byte 0x8e)", "Shift_JIS", 0},
	{"site: {name: 院長\xe3\x81}\n", 1, 16, "02", "not UTF-8", "UTF-8", 0},
	{T("state: /v\x1b[31m"), 4, 10, "02", "U+001B", "delete", 0},
	{SITE "state: /v\rmedia: x\n", 2, 10, "02", "U+000D", "", 0},
	{"site: {name: \xe2\x80\xa8}\n", 1, 14, "02", "U+2028", "", 0},
	/* YAML */
	{T("notify: {command: x"), 5, 1, "03", "not closed", "close it", 0},
	{T("notify: {command: \"x}"), 4, 19, "03", "never closed", "close it", 0},
	{SITE "state\n" DATA, 2, 1, "03", "without ':'", "half-width colon", 0},
	{SITE "state：/var\n" DATA, 2, 1, "03", "without ':'", "full-width colon stands", 0},
	{SITE "  state: /var\n", 2, 3, "03", "indentation does not fit", "same number", 0},
	{"site:\n  name: A\n   language: ja\n", 3, 12, "03", "':' where no key", "indentation", 0},
	{"site:\n  name: A\n language: ja\n", 3, 2, "03", "indentation does not fit", "same number of spaces", 0},
	{"site:\n\tname: A\n", 2, 1, "03", "cannot stand here", "not tabs", 0},
	{SITE "　state: /var\n", 2, 1, "08", "unknown key", "full-width space", 3},
	{T("state: @home"), 4, 8, "03", "cannot stand here", "quotes", 0},
	{T("notify: {command: a: b}"), 4, 20, "03", "", "", 0},
	{D("title: \"a\\q\""), 6, 14, "03", "escape", "single quotes", 0},
	{T("? [a]\n: b"), 4, 3, "03", "where a key belongs", "quotes", 0},
	{T("state: &x /var"), 4, 8, "04", "anchor", "quotes", 0},
	{SITE DATA "media: &m [{name: m, type: hdd, path: /m}]\n", 3, 8, "04", "anchor", "", 0},
	{T("state: *x"), 4, 8, "04", "alias", "quotes", 0},
	{"site: {name: A}\n*x : y\n", 2, 1, "04", "alias", "", 0},
	{T("state: !!str /var"), 4, 8, "04", "tag", "leave it out", 0},
	{T("schedule: !x {at: \"02:00\"}"), 4, 11, "04", "tag", "", 0},
	{T("---\nsite: {name: B}"), 4, 1, "04", "second document", "---", 0},
	{"%TAG ! tag:x,2000:\n---\n" T(""), 1, 1, "04", "%TAG", "", 0},
	{T("state: /a1\nstate: /a2"), 5, 1, "05", "'state' stands twice", "line 4", 0},
	{D("every: day\n    every: week"), 7, 5, "05", "'every' stands twice", "line 6", 0},
	{"site: {name: A, name: B}\n" DATA MEDIA, 1, 17, "05", "'name' stands twice", "line 1", 0},
	{T("state: [[[[[[[[[[[[[[[[x]]]]]]]]]]]]]]]]"), 4, 23, "06", "16 levels", "", 0},
	/* kinds */
	{"site: A\n" DATA MEDIA, 1, 7, "07", "'site' must be a table", "manual", 0},
	{"site:\n  name：A\n" DATA MEDIA, 2, 3, "07", "'site' must be a table", "full-width colon", 0},
	{SITE MEDIA "datasets: {name: a, paths: [/a]}\n", 3, 11, "07", "'datasets' must be a list", "", 0},
	{SITE MEDIA "datasets: [a]\n", 3, 12, "07", "list of tables", "", 0},
	{C("paths: /a"), 5, 12, "07", "'paths' must be a list", "", 0},
	{C("paths: [[/a]]"), 5, 13, "07", "'paths' must be a single value", "brackets", 0},
	{D("title: [x]"), 6, 12, "07", "'title' must be a single value", "brackets", 0},
	{D("title: {x: y}"), 6, 12, "07", "'title' must be a single value", "quotes", 0},
	{T("people: [{name: x, roles: manager}]"), 4, 27, "07", "'roles' must be a list", "", 0},
	{T("people: [{name: x, roles: [[manager]]}]"), 4, 28, "07", "list of words", "", 0},
	{T("schedule: \"02:00\""), 4, 11, "07", "'schedule' must be a table", "", 0},
	/* keys */
	{D("genrations: 5"), 6, 5, "08", "unknown key 'genrations'", "did you mean 'generations'?", 0},
	{D("Every: day"), 6, 5, "08", "unknown key 'Every'", "'every'", 0},
	{D("cross-mounts: true"), 6, 5, "08", "unknown key", "'cross_mounts'", 0},
	{D("max_attached: 4h"), 6, 5, "08", "unknown key", "belongs to a medium", 0},
	{D("colour: red"), 6, 5, "08", "unknown key 'colour'", "a data set has: name, title", 0},
	{M("offilne: true"), 7, 5, "08", "unknown key", "'offline'", 0},
	{T("dataset: []"), 4, 1, "08", "unknown key", "'datasets'", 0},
	{T("<<: {a: b}"), 4, 1, "08", "unknown key '<<'", "the policy has", 0},
	{T("\"a\\tb\\x1b\": 1"), 4, 1, "08", "unknown key 'a\\011b\\033'", "", 0},
	{D("expect: {min_byte: 1}"), 6, 14, "08", "unknown key", "'min_bytes'", 0},
	{DATA MEDIA, 1, 1, "09", "the policy has no 'site'", "add the key 'site'", 0},
	{SITE MEDIA, 1, 1, "09", "no 'datasets'", "", 0},
	{SITE DATA, 1, 1, "09", "no 'media'", "", 0},
	{"site: {language: ja}\n" DATA MEDIA, 1, 7, "09", "the site has no 'name'", "", 0},
	{SITE MEDIA "datasets:\n  - paths: [/a]\n", 4, 5, "09", "a data set has no 'name'", "", 0},
	{SITE DATA "media: [{name: m, path: /m}]\n", 3, 9, "09", "a medium has no 'type'", "", 0},
	{T("people: [{name: x}]"), 4, 10, "09", "a person has no 'roles'", "", 0},
	{T("schedule: {}"), 4, 11, "09", "the schedule has no 'at'", "", 0},
	{T("notify: {}"), 4, 9, "09", "no 'command'", "", 0},
	/* texts */
	{D("title:"), 6, 11, "10", "'title' has no value", "take the line out", 0},
	{D("title: ''"), 6, 12, "10", "'title' has no value", "", 0},
	{D("title: ~"), 6, 12, "10", "'title' has no value", "", 0},
	{D("title: \"  \""), 6, 12, "10", "'title' has no value", "", 0},
	{D("exclude:"), 6, 13, "10", "'exclude' has no value", "", 0},
	{C("paths: []"), 5, 12, "10", "'paths' has no value", "", 0},
	{SITE MEDIA "datasets: []\n", 3, 11, "10", "'datasets' has no value", "", 0},
	{D("title: \"a\\nb\""), 6, 12, "10", "control character", "one line", 0},
	{D("title: \"a\\0b\""), 6, 12, "10", "NUL", "", 0},
	{T("people: [{name: x, roles: []}]"), 4, 27, "10", "'roles' has no value", "", 0},
	{C("command: ''\n    store_as: x"), 5, 14, "10", "'command' has no value", "", 0},
	{T("state: null"), 4, 8, "10", "'state' has no value", "", 0},
	/* names */
	{SITE MEDIA "datasets: [{name: EMR, paths: [/a]}]\n", 3, 19, "11", "'EMR' cannot be the name of a data set", "small letters", 0},
	{SITE MEDIA "datasets: [{name: 電子カルテ, paths: [/a]}]\n", 3, 19, "11", "'電子カルテ' cannot be", "'title'", 0},
	{SITE MEDIA "datasets: [{name: -a, paths: [/a]}]\n", 3, 19, "11", "'-a'", "", 0},
	{SITE MEDIA "datasets: [{name: ../a, paths: [/a]}]\n", 3, 19, "11", "'../a'", "", 0},
	{SITE MEDIA "datasets: [{name: a234567890123456789012345678901234567890123456789012345678901234, paths: [/a]}]\n", 3, 19, "11", "cannot be the name of a data set", "at most 32", 0},
	{SITE MEDIA "datasets: [{name: a23456789012345678901234567890123, paths: [/a]}]\n", 3, 19, "11", "cannot be", "at most 32", 0},
	{SITE MEDIA "datasets: [{name: 1a, paths: [/a]}]\n", 3, 19, "11", "'1a'", "beginning with a letter", 0},
	{SITE MEDIA "datasets: [{name: a.b, paths: [/a]}]\n", 3, 19, "11", "'a.b'", "", 0},
	{SITE MEDIA "datasets: [{name: a_b, paths: [/a]}]\n", 3, 19, "11", "'a_b'", "", 0},
	{SITE MEDIA "datasets: [{name: latest, paths: [/a]}]\n", 3, 19, "11", "'latest'", "neither 'latest'", 0},
	{SITE MEDIA "datasets: [{name: com1, paths: [/a]}]\n", 3, 19, "11", "'com1'", "device of Windows", 0},
	{SITE DATA "media: [{name: RDX 01, type: hdd, path: /m}]\n", 3, 16, "11", "'RDX 01' cannot be the name of a medium", "RDX-01", 0},
	{C("command: x\n    store_as: a/b"), 6, 15, "11", "'a/b' is not a plain file name", "emr.dump", 0},
	{C("command: x\n    store_as: .."), 6, 15, "11", "'..'", "", 0},
	{SITE MEDIA "datasets: [{name: a, paths: [/a]}, {name: a, paths: [/b]}]\n", 3, 43, "12", "the name 'a' is taken", "line 3", 0},
	{SITE DATA "media:\n- {name: m, type: hdd, path: /m}\n- {name: M, type: ssd, path: /n}\n", 5, 10, "12", "the name 'M' is taken", "line 4", 0},
	{T("people: [{name: x, roles: [manager]}, {name: x, roles: [auditor]}]"), 4, 46, "12", "'x' is taken", "", 0},
	{T("places: [{name: x, originals: true}, {name: x}]"), 4, 45, "12", "'x' is taken", "line 4", 0},
	/* paths */
	{C("paths: [srv]"), 5, 13, "13", "'srv' does not begin with '/'", "/srv/documents", 0},
	{C("paths: [~/x]"), 5, 13, "13", "'~/x' does not begin", "'~'", 0},
	{C("paths: [/a//b]"), 5, 13, "13", "'/a//b' holds", "realpath", 0},
	{C("paths: [/a/../b]"), 5, 13, "13", "'/a/../b' holds", "", 0},
	{C("paths: [/a/.]"), 5, 13, "13", "'/a/.' holds", "", 0},
	{C("paths: [//]"), 5, 13, "13", "'//' holds", "", 0},
	{C("paths: [\"/a\\nb\"]"), 5, 13, "13", "control character", "", 0},
	{T("state: var/lib"), 4, 8, "13", "'var/lib' does not begin", "", 0},
	{C("paths: [/a, /b, /a]"), 5, 21, "14", "'/a' lies within '/a'", "inner one", 0},
	{C("paths: [/a/b, /c, /a/]"), 5, 23, "14", "'/a/b' lies within '/a' of the same", "inner one", 0},
	{SITE DATA "media:\n- {name: m, type: hdd, path: /m}\n- {name: n, type: ssd, path: /m/n}\n", 5, 30, "14", "'/m/n' and '/m' of another medium", "one disk", 0},
	/* quantities */
	{D("generations: 0"), 6, 18, "15", "'0' is out of range for 'generations'", "from 1 to 9999", 0},
	{D("generations: three"), 6, 18, "15", "'three' is not a whole number", "", 0},
	{D("generations: -1"), 6, 18, "15", "'-1' is not a whole", "", 0},
	{D("generations: 99999999999999999999999"), 6, 18, "15", "out of range", "", 0},
	{D("priority: 100"), 6, 15, "15", "'100' is out of range", "from 1 to 99", 0},
	{T("retention: {anchor_every: 1.5}"), 4, 27, "15", "'1.5' is not a whole number", "", 0},
	{T("retention: {anchor_every: 10000}"), 4, 27, "15", "'10000' is out of range", "from 0 to 9999", 0},
	{T("retention: {live_share: 91 %}"), 4, 25, "16", "'91 %' is out of range", "from 0 % to 90 %", 0},
	{D("expect: {min_bytes: 10G}"), 6, 25, "16", "'10G' is not a size", "128 MiB", 0},
	{D("expect: {min_bytes: 1.5 GB}"), 6, 25, "16", "'1.5 GB' is not a size", "whole number", 0},
	{D("expect: {min_bytes: 20000 PB}"), 6, 25, "16", "out of range", "8191 PiB", 0},
	{D("expect: {min_bytes: 0}"), 6, 25, "16", "out of range", "", 0},
	{T("archive_size: 2 GiB"), 4, 15, "16", "'2 GiB' is out of range for 'archive_size'", "from 1 MiB to 1 GiB", 0},
	{T("archive_size: 4096"), 4, 15, "16", "'4096' is out of range", "", 0},
	{D("expect: {shrink_alarm: 40}"), 6, 28, "16", "'40' is not a percentage", "40 %", 0},
	{D("expect: {shrink_alarm: 100 %}"), 6, 28, "16", "'100 %' is out of range", "from 1 % to 99 %", 0},
	{D("rpo: 24"), 6, 10, "17", "'24' is not a duration", "24h", 0},
	{D("rpo: 1y"), 6, 10, "17", "'1y' is not a duration", "", 0},
	{D("rto: 0h"), 6, 10, "17", "'0h' is out of range for 'rto'", "one minute", 0},
	{T("retention: {protect: 999999w}"), 4, 22, "17", "out of range", "100 years", 0},
	{T("retention: {protect: 99999999999999999999d}"), 4, 22, "17", "out of range", "", 0},
	{D("every: fortnight"), 6, 12, "17", "'fortnight' is not an interval", "hour, day, week, month", 0},
	{D("every: 0h"), 6, 12, "17", "'0h' is not an interval", "", 0},
	{D("every: 2w"), 6, 12, "17", "'2w' is not an interval", "", 0},
	{T("schedule: {at: \"24:00\"}"), 4, 16, "18", "'24:00' is not a time", "02:00", 0},
	{T("schedule: {at: 120}"), 4, 16, "18", "'120' is not a time", "in quotes", 0},
	{T("schedule: {at: \"2:00\"}"), 4, 16, "18", "'2:00' is not a time", "two digits", 0},
	/* words */
	{"site: {name: A, language: jp}\n" DATA MEDIA, 1, 27, "19", "'jp' is unknown for 'language'", "", 0},
	{SITE DATA "media: [{name: m, type: object, path: /m}]\n", 3, 25, "35", "an object store cannot be a medium yet", "type: hdd", 0},
	{T("locale: ja_JP.SJIS"), 4, 9, "19", "'ja_JP.SJIS' is no UTF-8 locale", "C.UTF-8", 0},
	{D("stderr: maybe"), 6, 13, "19", "'maybe' is unknown for 'stderr'", "", 0},
	{D("compression: gzip"), 6, 18, "19", "'gzip' is unknown for 'compression'", "one of: lz4, zstd", 0},
	{T("compression: [lz4]"), 4, 14, "07", "compression", "", 0},
	{D("cross_mounts: yes"), 6, 19, "19", "'yes' is unknown for 'cross_mounts'", "one of: false, true", 0},
	{SITE DATA "media: [{name: m, type: nas, path: /m}]\n", 3, 25, "19", "'nas' is unknown for 'type'", "hdd, ssd, rdx, tape, optical, object", 0},
	{SITE DATA "media: [{name: m, type: tepe, path: /m}]\n", 3, 25, "19", "'tepe'", "did you mean 'tape'?", 0},
	{T("people: [{name: x, roles: [manager, oprator]}]"), 4, 37, "19", "'oprator' is unknown", "'operator'", 0},
	/* what fits together */
	{C("title: x"), 4, 5, "22", "neither paths nor a command", "add 'paths", 0},
	{D("command: x\n    store_as: y"), 6, 5, "22", "paths and a command", "two data sets", 0},
	{C("command: x"), 5, 5, "22", "no 'store_as'", "emr.dump", 0},
	{D("store_as: x"), 6, 5, "22", "'store_as' stands without", "take it out", 0},
	{C("command: x\n    store_as: y\n    exclude: [z]"), 7, 5, "22", "'exclude' means nothing", "paths", 0},
	{C("command: x\n    store_as: y\n    cross_mounts: true"), 7, 5, "22", "'cross_mounts' means nothing", "", 0},
	{SITE DATA "media: [{name: m, type: hdd}]\n", 3, 9, "23", "no 'path'", "offline: true", 0},
	{M("swap_every: 7d"), 7, 5, "23", "'swap_every' means nothing for an online", "offline: true", 0},
	{SITE MEDIA "datasets: [{name: a, paths: [/]}]\n", 3, 30, "24", "'/' holds the medium '/m'", "exclude: [/m/]", 2},
	{SITE MEDIA "datasets: [{name: a, paths: [/m/a]}]\n", 3, 30, "24", "'/m/a' lies inside the medium '/m'", "move", 0},
	{SITE MEDIA "datasets: [{name: a, paths: [/m]}]\n", 3, 30, "24", "'/m' lies inside the medium '/m'", "", 0},
	{C("paths: [/x, /var]"), 5, 17, "24", "'/var' holds the state folder '/var/lib/bkp'", "exclude: [/var/lib/bkp/]", 0},
	{C("paths: [/var/lib/bkp/x]"), 5, 13, "24", "inside the state folder", "", 0},
	{SITE DATA "media: [{name: m, type: hdd, path: /var/lib/bkp/m}]\n", 3, 36, "24", "state folder", "apart", 0},
	{D("exclude: [\"*.tmp\", \"a//b\"]"), 6, 24, "25", "'a//b' is not an exclusion", "leave out '//'", 0},
	{D("exclude: [\"[ab\"]"), 6, 15, "25", "'[ab' is not an exclusion", "close '['", 0},
	{D("exclude: [/]"), 6, 15, "25", "'/' is not an exclusion", "*.tmp", 0},
	{D("exclude: ['a\\']"), 6, 15, "25", "is not an exclusion", "backslash", 0},
	{D("exclude: [/a/]"), 6, 15, "25", "'/a/' excludes all of '/a'", "paths", 0},
	{D("exclude: [/**]"), 6, 15, "25", "excludes all", "", 0},
	/* data sets, media and places that name one another */
	{M("datasets: [a, b]"), 7, 19, "36", "there is no data set 'b'", "leave 'datasets' out", 0},
	{M("datasets: [A]"), 7, 16, "11", "'A' cannot be", "", 0},
	{M("datasets: []"), 7, 15, "10", "'datasets' has no value", "", 0},
	{SITE "media: [{name: m, type: hdd, path: /m, datasets: [a]}]\ndatasets: [{name: a, paths: [/a]}, {name: b, paths: [/b]}]\n", 3, 36, "37", "no medium holds data set 'b'", "two media", 0},
	{M("place: x\nplaces: [{name: y, originals: true}]"), 7, 12, "36", "there is no place 'x'", "'places'", 0},
	{T("places: [{name: x, originals: true, separate_from: [y]}]"), 4, 53, "36", "there is no place 'y'", "correct the name", 0},
	{T("places: [{name: x}]"), 4, 9, "38", "no place is said to have the originals", "originals: true", 0},
	{T("places: [{originals: true}]"), 4, 10, "09", "a place has no 'name'", "", 0},
	{T("places: [{name: x, originals: maybe}]"), 4, 31, "19", "'maybe' is unknown", "", 2},
	{T("places: [{name: x, seperate_from: [x]}]"), 4, 20, "08", "unknown key", "'separate_from'", 2},
	{T("stop_while_suspect: yes"), 4, 21, "19", "'yes' is unknown", "", 0},
	/* media that take turns */
	{P("media: [A, B], swap_every: 7d"), 8, 5, "09", "a pool has no 'name'", "", 0},
	{P("name: p, swap_every: 7d"), 8, 5, "09", "a pool has no 'media'", "", 0},
	{P("name: p, media: [A, B]"), 8, 5, "09", "a pool has no 'swap_every'", "", 0},
	{P("name: p, media: [A, X], swap_every: 7d"), 8, 26, "41", "there is no medium 'X'", "below 'media'", 0},
	{P("name: p, media: [A, a], swap_every: 7d"), 8, 26, "42", "'A' takes turns in two places", "once", 0},
	{P("name: p, media: [A, B], swap_every: 7d}\n  - {name: q, media: [B, A], swap_every: 7d"), 9, 23, "42", "'B' takes turns in two places", "one pool", 2},
	{P("name: p, media: [A, B], swap_every: 7d}\n  - {name: P, media: [A, B], swap_every: 7d"), 9, 12, "12", "'P' is taken", "", 3},
	{P("name: p, media: [A, m], swap_every: 7d"), 8, 26, "43", "'m' is not kept offline", "'offline: true'", 0},
	{P("name: p, media: [A], swap_every: 7d"), 8, 22, "44", "no turns", "second one", 0},
	{P("name: p, media: [A, B], swap_every: 36h"), 8, 42, "44", "whole days", "7d", 0},
	{P("name: p, media: [A, B], swap_every: 10d, weekday: mon"), 8, 56, "44", "whole weeks", "'swap_every: 7d'", 0},
	{P("name: p, media: [A, B], swap_every: 7d, weekday: monday"), 8, 55, "19", "'monday' is unknown", "mon", 0},
	{P("name: p, media: [A, B], swap_every: 7d, holds: some"), 8, 53, "19", "'some' is unknown", "newest", 0},
	{P("name: p, media: [A, B], swap_every: 7d, away_at_least: 2"), 8, 61, "45", "of 2 media one is here", "1 at most", 0},
	{P("name: p, media: [A, B], swap_every: 7d, away_at_least: 1"), 8, 61, "45", "separate from the originals: 0", "'separate_from'", 0},
	{PLACED("name: p, media: [A, B], swap_every: 7d, away_at_least: 1"), 8, 61, "45", "separate from the originals: 1", "one more", 0},
	{P("name: p, media: [A, B], swap_every: 7d, remind: [{tell: 院長}]"), 8, 55, "46", "nobody is named '院長'", "'people'", 0},
	{P("name: p, media: [A, B], swap_every: 7d, remind: [{after: 2d}]"), 8, 55, "09", "a reminder has no 'tell'", "", 0},
	{P("name: p, media: [A, B], swap_every: 7d, remind: [{tell: x, after: 2d}, {tell: x}]}\npeople:\n  - {name: x, roles: [manager]"), 8, 77, "46", "'x' is to be told twice", "once", 0},
	{P("name: p, media: [A, B], swap_every: 7d, swap: 1"), 8, 46, "08", "unknown key", "", 0},
	{SITE "datasets: [{name: a, paths: [/a]}, {name: b, paths: [/b]}]\nmedia:\n  - {name: m, type: hdd, path: /m}\n"
		"  - {name: A, type: rdx, offline: true, datasets: [b]}\n  - {name: B, type: rdx, offline: true, swap_every: 7d}\n"
		"pools: [{name: p, media: [A, B], swap_every: 7d}]\n", 7, 30, "44", "at medium 'B' and at its pool", "the pool says it", 2},
	{T("holidays: list.txt"), 4, 11, "13", "", "", 0},
	/* what stands in papers alone */
	{D("importance: D"), 6, 17, "19", "'D' is unknown for 'importance'", "one of: A, B, C", 0},
	{D("importance: ''"), 6, 17, "19", "'' is unknown", "", 0},
	{D("responsibility: 病室"), 6, 21, "19", "'病室' is unknown", "one of: hospital, vendor", 0},
	{D("responsibility: vender"), 6, 21, "19", "'vender' is unknown", "did you mean 'vendor'?", 0},
	{D("retention_years: 0"), 6, 22, "15", "out of range for 'retention_years'", "from 1 to 100", 0},
	{D("retention_years: 5y"), 6, 22, "15", "'5y' is not a whole number", "", 0},
	{D("owner: ''"), 6, 12, "10", "'owner' has no value", "", 0},
	{D("source_host: " TEXT_201), 6, 18, "10", "too long for 'source_host'", "at most 200 bytes", 0},
	{T("excluded: [{reason: x}]"), 4, 12, "09", "an exclusion by decision has no 'name'", "", 0},
	{T("excluded: [{name: a, decided_on: 2026-02-30}]"), 4, 34, "49", "'2026-02-30' is not a date", "2026-11-24", 0},
	{T("excluded: [{name: a, decided_on: 令和8年}]"), 4, 34, "49", "is not a date", "", 0},
	{T("excluded: [{name: a, review_on: ２０２６-11-24}]"), 4, 33, "49", "is not a date", "half-width", 0},
	{T("excluded: [{name: a, review_on: 2026-11-24T00}]"), 4, 33, "49", "is not a date", "", 0},
	{T("excluded: [{name: a, review_on: 1900-01-01}]"), 4, 33, "49", "is not a date", "", 0},
	{T("excluded: [{name: a}, {name: a}]"), 4, 30, "12", "'a' is taken", "line 4", 0},
	{T("excluded: [{name: a, reason: " TEXT_601 "}]"), 4, 30, "10", "too long for 'reason'", "at most 600 bytes", 0},
	{T("external: [{name: a, generations: 0}]"), 4, 35, "15", "out of range", "from 1 to 9999", 0},
	{T("external: [{name: a, vender: x}]"), 4, 22, "08", "unknown key", "'vendor'", 0},
	{T("external: [{name: a}, {name: a}]"), 4, 30, "12", "'a' is taken", "", 0},
	{T("contacts: [{name: x}]"), 4, 12, "09", "a contact has no 'kind'", "", 0},
	{T("contacts: [{name: x, kind: 警察}]"), 4, 28, "19", "'警察' is unknown for 'kind'", "one of: 医療情報システム事業者, 情報セキュリティ事業者", 0},
	{T("contacts: [{name: x, kind: 保険会社, tel: " TEXT_201 "}]"), 4, 39, "10", "too long for 'tel'", "at most 64", 0},
	{T("contacts: [{name: x, kind: 保険会社, mail: \"a\\nb\"}]"), 4, 40, "10", "control character", "", 0},
	{T("contacts: [{name: x, kind: mhlw}, {name: x, kind: police}]"), 4, 42, "12", "'x' is taken", "", 0},
	{T("assets: [{model: x}]"), 4, 10, "09", "a device has no 'name'", "", 0},
	{T("assets: [{name: a, licence: x}]"), 4, 20, "08", "unknown key", "'license'", 0},
	{T("assets: {name: a}"), 4, 9, "07", "'assets' must be a list", "", 0},
	{T("checklist: {edition: R7, self: [{answer: yes}]}"), 4, 33, "09", "an answer to the checklist has no 'item'", "", 0},
	{T("checklist: {self: [{item: 2-4, answer: perhaps}]}"), 4, 40, "19", "'perhaps' is unknown", "yes, no", 0},
	{T("checklist: {self: [{item: 2-4}, {item: 2-4}]}"), 4, 40, "12", "'2-4' is taken", "", 0},
	{T("checklist: {target: soon}"), 4, 21, "49", "'soon' is not a date", "", 0},
	{T("checklist: {editions: R7}"), 4, 13, "08", "unknown key", "'edition'", 0},
	{T("checklist: {edition: R2025-03-31-first}"), 4, 22, "10", "too long for 'edition'", "at most 16", 0},
	/* several at once: all are told */
	{T("state: x\nschedule: {at: 25}\nfoo: 1"), 5, 16, "18", "'25'", "", 3},
	{D("every: x\n    rpo: y\n    rto: z\n    colour: red\n    generations: q"), 10, 18, "15", "'q'", "", 5},
};
/* clang-format on */

static int parse(const char *name, const char *text, struct config_problems *problems, struct err *err)
{
	struct policy *p = NULL;
	int r = policy_parse(name, text, strlen(text), &p, problems, err);

	assert_true(r == 0 || !p);
	policy_free(p);
	return r;
}

static void every_fault_is_refused_at_its_place(void **state)
{
	(void)state;
	faults_are_refused("policy.yaml", "E-POLICY-", table, sizeof(table) / sizeof(*table), parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_fault_is_refused_at_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
