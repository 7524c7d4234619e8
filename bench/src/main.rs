//! Measuring the store at any size: `cargo xtask seed` fills a database with realistic history, `cargo xtask measure-queries`
//! measures what each list, search and statistic costs on it. It knows the ports, not the SQL behind them.
#![expect(clippy::print_stdout, reason = "a tool that prints figures")]

#[cfg(test)]
mod plans;
mod queries;
mod recall;
mod seed;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use store::{Options, Store};

#[derive(Parser)]
#[command(about = "Fills a database with history, and measures queries on it")]
struct Cli {
    /// The database: sqlite:///path/to/file or postgres://user:password@host/database.
    #[arg(long, global = true, env = "KUBERNAUT_DATABASE_URL", default_value = "sqlite://bench.sqlite")]
    database_url: String,
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Writes about so many executions with all that led to them, up to now.
    Seed {
        /// How many.
        #[arg(long)]
        executions: u32,
        /// So many playbooks in all, the library's first.
        #[arg(long, default_value_t = 13)]
        playbooks: u32,
    },
    /// Prints p50, p95 and p99 of each query, one line each.
    Queries {
        /// How often each is asked.
        #[arg(long, default_value_t = 300)]
        rounds: u32,
    },
    /// Prints recall@5 of the catalog's search over questions as operators ask them; in a database of its own.
    Recall {
        /// A sentence-transformers directory, to search for meaning, too.
        #[arg(long)]
        model: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    if let Task::Recall { model } = &cli.task {
        return recall::run(model.as_deref()).await;
    }
    let store = Store::open(&cli.database_url, Options::default()).await?;
    match cli.task {
        Task::Seed { executions, playbooks } => seed::run(&store, executions, playbooks).await?,
        Task::Queries { rounds } => queries::run(&store, rounds).await?,
        Task::Recall { .. } => {}
    }
    store.close().await;
    Ok(())
}
