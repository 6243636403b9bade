# blocks.awk: splits a document into its blocks of commands, by the comments before them,
# which a reader does not see:
#
#   <!-- run: host -->          an indented block of commands; host or you (the workstation)
#   <!-- says -->               the next block is what the one before it printed
#   <!-- not run: needs X -->   a block that cannot be run here
#   <!-- given: host            the lines up to --> are run too: they create a state that
#   …  -->                      the document describes
#   <!-- then: FILE -->         the blocks of another document follow
#
# -v out=FOLDER; FOLDER/N.cmd is a block, FOLDER/N.says its output.  Prints a line for
# each: N, kind, place or why (its blanks as _), name.  A block without a mark is of
# kind unmarked, which is a failure.

function slug(text) {
	text = tolower(text)
	gsub(/[^a-z0-9]+/, "_", text)
	gsub(/^_|_$/, "", text)
	return text
}

function begin(kind_is, what) {
	kind = kind_is
	gsub(/ /, "_", what)
	if (kind != "says")
		printf "%03d %s %s %s_%s\n", ++n, kind, what, document, title
	file = sprintf("%s/%03d.%s", out, n, kind == "says" ? "says" : "cmd")
	printf "" >file
	inside = 0
}

function flush_block() {
	if (inside) {
		close(file)
		kind = ""
	}
	inside = blanks = 0
}

function walk(path,    line, what, mine) {
	document = path
	sub(/.*\//, "", document)
	sub(/\.md$/, "", document)
	sub(/.*-/, "", document)
	mine = document
	while ((getline line <path) > 0) {
		if (hidden) {
			if (line ~ /-->$/) {
				hidden = 0
				close(file)
				kind = ""
			} else
				print line >file
		} else if (line ~ /^    /) {
			if (kind == "")
				begin("unmarked", "-")
			while (blanks-- > 0)
				print "" >file
			blanks = 0
			inside = 1
			print substr(line, 5) >file
		} else if (line == "") {
			blanks += inside
		} else {
			flush_block()
			if (line ~ /^#+ /) {
				title = slug(line)
			} else if (line ~ /^<!-- (run|not run|given|then): / || line == "<!-- says -->") {
				what = line
				sub(/^<!-- [a-z ]*(: )?/, "", what)
				sub(/ *-->$/, "", what)
				if (line ~ /^<!-- then/) {
					walk(what)
					document = mine
				} else if (line ~ /^<!-- given/) {
					begin("given", what)
					hidden = 1
				} else
					begin(line ~ /^<!-- says/ ? "says" : line ~ /^<!-- not/ ? "not" : "run", what)
			}
		}
	}
	flush_block()
	close(path)
}

BEGIN { walk(path) }
