//! Parse, run, exit code.

fn main() -> std::process::ExitCode {
    clown::start::main()
}
