# shown.awk SHOWN CAME: does the output match what a document shows?  A line `…` stands for
# any lines, `…` in a line for any text.  Prints the first difference.

# like: does LINE match SHOWN, where `…` is any text?
function like(line, shown,    parts, count, i, at) {
	count = split(shown, parts, "…")
	if (substr(line, 1, length(parts[1])) != parts[1])
		return 0
	line = substr(line, length(parts[1]) + 1)
	for (i = 2; i < count; i++) {
		at = index(line, parts[i])
		if (!at)
			return 0
		line = substr(line, at + length(parts[i]))
	}
	if (count == 1)
		return line == ""
	at = length(line) - length(parts[count])
	return at >= 0 && substr(line, at + 1) == parts[count]
}

FNR == NR { shown[++wanted] = $0; next }
# a warning of the engine about the host
/IPv4 forwarding is disabled/ { next }
{ came[++lines] = $0 }

END {
	for (i = 1; i <= wanted; i++) {
		if (shown[i] ~ /^ *…$/) {
			any = 1
			continue
		}
		for (at++; any && at <= lines && !like(came[at], shown[i]); at++)
			;
		if (at > lines || !like(came[at], shown[i])) {
			print "not as shown: " shown[i]
			exit 1
		}
		any = 0
	}
	if (at < lines && !any) {
		print "not shown: " came[at + 1]
		exit 1
	}
}
