use std::process::ExitCode;

fn main() -> ExitCode {
    kuori::cli::run(std::env::args_os())
}
