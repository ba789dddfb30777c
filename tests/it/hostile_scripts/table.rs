//! The scripts, by what they try.

pub struct Hostile {
    pub name: &'static str,
    pub source: String,
    /// In the error.
    pub says: &'static str,
}

/// Name, source, part of the error.
const FIXED: &[(&str, &str, &str)] = &[
    ("loops", "loop { }", "script"),
    ("loops and catches", "loop { try { loop { } } catch { } }", "script"),
    ("counts far", "for i in 0..9223372036854775807 { }", "script"),
    ("sleeps", "sleep(100)", "sleep is not allowed"),
    ("sleeps a fraction", "sleep(1.5)", "sleep is not allowed"),
    ("sorts forever", "[3, 1, 2].sort(|a, b| { loop { } })", "script"),
    ("evaluates text", "eval(\"1\")", "script"),
    ("imports a file", "import \"/etc/passwd\" as p; #{}", "script"),
    ("imports an address", "import \"http://127.0.0.1:1/x\" as p; #{}", "script"),
    ("exports", "let x = 1; export x; #{}", "script"),
    ("reads a file", "open_file(\"/etc/passwd\")", "open_file"),
    ("reads the clock", "timestamp()", "timestamp"),
    ("reads a variable", "env(\"HOME\")", "env"),
    ("runs a program", "system(\"id\")", "system"),
    ("doubles a text", "let s = \"aaaaaaaaaa\"; loop { s += s; }", "script"),
    ("replaces to more", "let s = \"aaaaaaaaaa\"; loop { s.replace(\"a\", \"aaaaaaaaaa\"); }", "script"),
    ("pads a text", "let s = \"\"; s.pad(100000000, \"x\"); s", "script"),
    ("pushes forever", "let a = []; loop { a.push(1) }", "script"),
    ("doubles a list", "let a = [1]; loop { a += a; }", "script"),
    ("pads a list", "let a = [1]; a.pad(100000000, 1); a", "script"),
    ("many large texts", "let s = \"x\"; s.pad(200000, \"x\"); let a = []; loop { a.push(s + \"y\"); }", "script"),
    ("fills a map", "let m = #{}; for i in 0..1000000 { m[i.to_string()] = \"x\"; } m", "script"),
    ("large blob", "blob(100000000)", "script"),
    ("nests lists", "let a = []; for i in 0..100000 { a = [a]; } #{ args: a }", "script"),
    ("nests maps", "let m = #{}; for i in 0..100000 { m = #{ a: m }; } #{ env: m }", "script"),
    ("shares and doubles", "let a = [1]; for i in 0..40 { a = [a, a]; } #{ args: a }", "script"),
    ("recurses", "fn f(n) { f(n + 1) } f(0)", "script"),
    ("recurses in turn", "fn f(n) { g(n) } fn g(n) { f(n) } f(0)", "script"),
    ("recurses by pointer", "fn f(p) { p.call(p) } f(Fn(\"f\"))", "script"),
    ("overflows", "9223372036854775807 + 1", "script"),
    ("divides the least", "let a = -9223372036854775807 - 1; a / -1", "script"),
    ("remainder of the least", "let a = -9223372036854775807 - 1; a % -1", "script"),
    ("shifts far", "let a = 1 << 1000; #{ args: [a] }", "script"),
    ("power", "2 ** 100000", "script"),
    ("assigns to a constant", "const k = #{ a: 1 }; k.a = 2", "script"),
    ("assigns to its context", "ctx.profile = 1", "script"),
    ("index out of all", "let a = [1]; a[-9223372036854775807]", "script"),
    (
        "laughs in YAML",
        "let t = \"a: &a [x,x,x,x,x,x,x,x,x]\\n\"; let p = \"a\"; for c in \"bcdefghij\" { t += c + \": &\" + c + \" [*\" + p + \",*\" + p + \",*\" + p + \",*\" + p + \",*\" + p + \",*\" + p + \",*\" + p + \",*\" + p + \",*\" + p + \"]\\n\"; p = c; } #{ args: [yaml::decode(t)] }",
        "script",
    ),
    ("deep JSON", "let t = \"\"; t.pad(200000, \"[\"); json::decode(t)", "json::decode"),
    ("deep TOML", "let t = \"\"; t.pad(100000, \"[\"); toml::decode(\"a = \" + t)", "toml::decode"),
    ("floods its print", "loop { print(\"MARK\\x1b[2J MARK MARK MARK MARK MARK MARK MARK\"); }", "script"),
    ("floods its debug", "loop { debug(\"MARK\\x1b[2J\"); }", "script"),
    ("paints its error", "throw \"\\x1b[2J\\x1b]0;owned\\x07 red\"", "red"),
    ("breaks the line of its error", "throw \"a\\r\\nerror: b\"", "a"),
    ("a very long error", "let s = \"e\"; s.pad(250000, \"e\"); throw s", "eee"),
    ("gives a number", "42", "must end with a map"),
    ("gives a function", "#{ args: [|x| x] }", "script"),
    ("gives more keys", "#{ env: #{}, run: \"id\" }", "run"),
    ("a parent's file", "#{ files: [#{ path: \"../../x\", format: \"text\", mode: \"seed\", content: \"MARK\" }] }", "may not write"),
    ("an absolute file", "#{ files: [#{ path: \"/tmp/x\", format: \"text\", mode: \"seed\", content: \"MARK\" }] }", "may not write"),
    ("a hidden parent", "#{ files: [#{ path: \"a/./../../x\", format: \"text\", mode: \"seed\", content: \"MARK\" }] }", "may not write"),
    ("the other slash", "#{ files: [#{ path: \"..\\\\x\", format: \"text\", mode: \"seed\", content: \"MARK\" }] }", "may not write"),
    ("the shell's start", "#{ files: [#{ path: \".BashRC\", format: \"text\", mode: \"seed\", content: \"MARK\" }] }", "may not write"),
    (
        "keys of ssh",
        "#{ files: [#{ path: \".ssh/authorized_keys\", format: \"text\", mode: \"seed\", content: \"MARK\" }] }",
        "may not write",
    ),
    (
        "a service",
        "#{ files: [#{ path: \".config/systemd/user/x.service\", format: \"text\", mode: \"seed\", content: \"MARK\" }] }",
        "may not write",
    ),
    ("clown's own", "#{ files: [#{ path: \".clown/bridge.json\", format: \"json\", mode: \"merge\", content: #{} }] }", "may not write"),
    ("one file twice", "let f = #{ path: \"a\", format: \"text\", mode: \"seed\", content: \"\" }; #{ files: [f, f] }", "twice"),
    ("extends a text", "#{ files: [#{ path: \"a\", format: \"text\", mode: \"extend\", content: \"\" }] }", "extend"),
    ("a library", "#{ env: #{ LD_PRELOAD: \"/x.so\" } }", "may not set"),
    ("a path", "#{ env: #{ PATH: \"/x\" } }", "may not set"),
    ("options of node", "#{ env: #{ node_options: \"--require /x\" } }", "may not set"),
    ("a shell's start by variable", "#{ env: #{ BASH_ENV: \"/x\" } }", "may not set"),
    ("git's program", "#{ env: #{ GIT_SSH_COMMAND: \"id\" } }", "may not set"),
    ("two variables in one", "#{ env: #{ \"A=B\\nC\": \"x\" } }", "may not set"),
    ("another home", "#{ env: #{ HOME: \"/root\" } }", "may not set"),
    ("the key in sight", "#{ args: [\"--key=\" + ctx.key.placeholder] }", "put the key among the arguments"),
    ("NUL", "#{ args: [\"a\\x00b\"] }", "NUL"),
];

pub fn scripts() -> Vec<Hostile> {
    let fixed = FIXED.iter().map(|(name, source, says)| Hostile { name, source: (*source).to_owned(), says });
    let brackets = format!("{}1{}", "(".repeat(20_000), ")".repeat(20_000));
    let sums = format!("1{}", "+1".repeat(20_000));
    let functions: String = (0..1000).map(|n| format!("fn f{n}() {{ }}\n")).collect();
    let variables: String = (0..1000).map(|n| format!("let v{n} = 1;\n")).collect();
    let quoted = format!("{}1{}", "`${".repeat(5_000), "}`".repeat(5_000));
    let many = |what: &str, n: usize, one: &dyn Fn(usize) -> String| {
        let items: Vec<String> = (0..n).map(one).collect();
        format!("#{{ {what}: {} }}", items.join(","))
    };
    let variables_given = format!("#{{ env: #{{ {} }} }}", (0..201).map(|n| format!("A{n}: \"x\",")).collect::<String>());
    let file = |n: usize| format!("#{{ path: \"f{n}\", format: \"text\", mode: \"seed\", content: \"\" }}");
    let made = [
        ("deep brackets", brackets, "script"),
        ("a long sum", sums, "script"),
        ("nested texts", quoted, "script"),
        ("a thousand functions", functions + "#{}", "script"),
        ("a thousand variables", variables + "#{}", "script"),
        ("a thousand flags", many("args", 1, &|_| format!("[{}]", "\"x\",".repeat(1000))), "more than"),
        ("too many variables", variables_given, "more than"),
        ("too many files", many("files", 1, &|_| format!("[{}]", (0..51).map(|n| file(n) + ",").collect::<String>())), "more than"),
        ("a long value", "let s = \"x\"; s.pad(200000, \"x\"); #{ env: #{ A: s } }".to_owned(), "too long"),
    ];
    fixed.chain(made.into_iter().map(|(name, source, says)| Hostile { name, source, says })).collect()
}
