//! What the kernel says about the program under test.

/// Proportional set size of the program and everything that it started, as the kernel counts it.
pub fn memory(program: u32) {
    let mut total = 0;
    for (_, name, kib) in process_tree(program) {
        println!("memory: {name} {} MiB PSS", kib / 1024);
        total += kib;
    }
    println!("memory: all {} MiB PSS", total / 1024);
}

/// Every process under (and with) this one: id, name, proportional set size in KiB.
pub fn process_tree(root: u32) -> Vec<(u32, String, u64)> {
    let mut found = Vec::new();
    let mut waiting = vec![root];
    while let Some(process) = waiting.pop() {
        let read = |what: &str| {
            std::fs::read_to_string(format!("/proc/{process}/{what}")).unwrap_or_default()
        };
        let pss = read("smaps_rollup")
            .lines()
            .find_map(|line| {
                line.strip_prefix("Pss:")?
                    .split_whitespace()
                    .next()?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        found.push((process, read("comm").trim().to_owned(), pss));
        for thread in std::fs::read_dir(format!("/proc/{process}/task"))
            .into_iter()
            .flatten()
            .flatten()
        {
            let children =
                std::fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            waiting.extend(
                children
                    .split_whitespace()
                    .filter_map(|id| id.parse::<u32>().ok()),
            );
        }
    }
    found
}
