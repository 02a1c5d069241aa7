# ctest-report.awk - reads `ctest -V`, prints the output of each test that did not pass and, last, "N passed, N failed". A test counts by the
# last such line that it printed itself; one that printed none counts as 1; a failing one counts at least 1 failure.
/^[0-9]+: / {
    id = $1 + 0
    line = substr($0, index($0, " ") + 1)
    output[id] = output[id] "    " line "\n"
    if (line ~ /^not run: / && !said[line]++) print line
    if (line ~ /^[0-9]+ passed, [0-9]+ failed$/) { split(line, word, " "); ok[id] = word[1]; bad[id] = word[3]; counted[id] = 1 }
    next
}
/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
    id = substr($0, index($0, "#") + 1) + 0
    good = / Passed +[0-9.]+ sec *$/
    if (/\*\*\*(Skipped|Not Run \(Disabled\))/) { print "not run: " $0; next }
    if (!counted[id]) { ok[id] = good; bad[id] = !good }
    if (!good && !bad[id]) bad[id] = 1
    passed += ok[id]; failed += bad[id]; tests++
    if (!good) printf "%s\n%s", $0, output[id]
    delete output[id]
}
/^No tests were found/ { print }
END {
    printf "%d tests of ctest\n", tests
    printf "%d passed, %d failed\n", passed, failed
    exit failed > 0 || tests == 0
}
