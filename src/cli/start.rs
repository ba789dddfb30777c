//! From the arguments of the process to its exit code.

use argh::{ArgsInfo, EarlyExit, FromArgs};

use super::{
    Engine, Foreground,
    args::{Command, Top},
    completions, man,
    output::{Output, write_stdout},
    pre, words,
};
use crate::{base::error::Result, wire::error::exit};

/// What can be run in this process and is no business of the command line's.
pub struct Lives<'l> {
    pub daemon: &'l dyn Fn(&Foreground<'_>) -> Result<()>,
    pub engine: &'l dyn Fn(&Engine<'_>) -> Result<()>,
}

/// Parses and runs one command line; gives the exit code.
pub fn main(argv: &[String], lives: &Lives<'_>) -> i32 {
    if let Some((word, rest)) = argv.split_first()
        && word == completions::COMMAND
    {
        return completions::answer(rest);
    }
    let info = Top::get_args_info();
    let (globals, rest) = pre::lift(argv, &info);
    let output = Output { json: globals.json, quiet: globals.quiet };
    if let [word, dir] = rest.as_slice()
        && word == man::COMMAND
    {
        return man::write(dir.as_ref(), &info).map_or_else(|error| output.fail(error), |()| exit::SUCCESS);
    }
    if globals.version {
        let version = env!("CARGO_PKG_VERSION");
        output.data(&serde_json::json!({ "name": "clown", "version": version, "protocol": crate::wire::PROTOCOL }), || {
            format!("clown {version}\n")
        });
        return exit::SUCCESS;
    }
    let line: Vec<&str> = rest.iter().map(String::as_str).collect();
    let top = match Top::from_args(&["clown"], &line) {
        Ok(top) => top,
        Err(EarlyExit { output: text, status: Ok(()), .. }) => {
            write_stdout(&words::help(&text));
            return exit::SUCCESS;
        }
        Err(EarlyExit { output: text, .. }) => return output.fail(words::mistake(&rest, &info, &text)),
    };
    let Some(command) = top.command else {
        return super::status::show(output);
    };
    match dispatch(command, output, lives) {
        Ok(code) => code,
        Err(error) => output.fail(error),
    }
}

fn dispatch(command: Command, output: Output, lives: &Lives<'_>) -> Result<i32> {
    match command {
        Command::Init(init) => init.run(output),
        Command::Bind(bind) => bind.run(output),
        Command::Unbind(unbind) => unbind.run(output),
        Command::Which(which) => which.run(output),
        Command::Trust(trust) => trust.run(output),
        Command::Aliases(aliases) => aliases.run(output),
        Command::Run(run) => run.run(output),
        Command::Profiles(profiles) => profiles.run(output),
        Command::Agents(agents) => agents.run(output),
        Command::Providers(providers) => providers.run(output),
        Command::Registry(registry) => registry.run(output),
        Command::Hooks(hooks) => hooks.run(output),
        Command::Env(env) => env.run(output),
        Command::Plugins(plugins) => plugins.run(output),
        Command::Mcp(mcp) => mcp.run(output),
        Command::Proxy(proxy) => proxy.run(output),
        Command::Sessions(sessions) => sessions.run(output),
        Command::Quota(args) => args.run(output),
        Command::Export(args) => args.run(output),
        Command::Import(args) => args.run(output),
        Command::Usage(usage) => usage.run(output),
        Command::Budget(budget) => budget.run(output),
        Command::Scripts(scripts) => scripts.run(output),
        Command::Templates(templates) => templates.run(output),
        Command::Config(config) => config.run(output),
        Command::Watch(watch) => watch.run(output),
        Command::Ui(ui) => ui.run(output),
        Command::Daemon(daemon) => daemon.run(output, lives.daemon),
        Command::Doctor(doctor) => doctor.run(output),
        Command::Itself(itself) => itself.run(output),
        Command::Completions(completions) => completions.run(output),
        Command::Service(service) => service.run(output),
        Command::Ultrallm(ultrallm) => ultrallm.run(output, lives.engine),
    }
}
