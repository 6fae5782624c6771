use std::sync::{Barrier, mpsc};

use super::*;
use crate::{domain::Disposition, store::Store};

type Change<'a> = Box<dyn FnOnce(&Transaction<'_>) -> Result<u32, Error> + Send + 'a>;

struct Shop {
    store: Store,
    folder: tempfile::TempDir,
}

/// A store with a table `t` of numbers.
fn shop() -> Shop {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let table = "CREATE TABLE t (n INTEGER PRIMARY KEY) STRICT";
    store
        .write("make a table", |tx| {
            tx.execute_batch(table).doing("make a table")
        })
        .unwrap();
    Shop { store, folder }
}

impl Shop {
    fn add(&self, n: u32) -> Result<u32, Error> {
        self.store.write("add", |tx| add(tx, n))
    }

    /// What another process sees.
    fn is_there(&self, n: u32) -> bool {
        let other = Connection::open(self.folder.path().join("kuori.sqlite")).unwrap();
        let sql = "SELECT EXISTS (SELECT 1 FROM t WHERE n = ?)";
        other.query_row(sql, [n], |row| row.get(0)).unwrap()
    }

    fn numbers(&self) -> Vec<u32> {
        let list = |db: &Connection| {
            let mut query = db.prepare("SELECT n FROM t ORDER BY n").doing("list")?;
            let rows = query.query_map([], |row| row.get(0)).doing("list")?;
            rows.collect::<Result<_, _>>().doing("list")
        };
        self.store.read(list).unwrap()
    }

    /// Lets all of `changes` wait in line, in this order, behind one who is in the middle of a
    /// change; hands back what came of each.
    fn together(&self, changes: Vec<Change<'_>>) -> Vec<thread::Result<Result<u32, Error>>> {
        let (go_on, wait) = mpsc::channel::<()>();
        let (begun, has_begun) = mpsc::channel();
        thread::scope(|scope| {
            let first = scope.spawn(move || {
                self.store.write("begin", |_| {
                    begun.send(()).unwrap();
                    wait.recv().unwrap();
                    Ok(())
                })
            });
            has_begun.recv().unwrap();
            let mut others = Vec::new();
            for (nth, change) in changes.into_iter().enumerate() {
                others.push(scope.spawn(move || self.store.write("change", change)));
                while self.store.writer_line() < nth + 1 {
                    thread::yield_now();
                }
            }
            go_on.send(()).unwrap();
            let _ = first.join().unwrap();
            others
                .into_iter()
                .map(thread::ScopedJoinHandle::join)
                .collect()
        })
    }
}

fn add(tx: &Transaction<'_>, n: u32) -> Result<u32, Error> {
    tx.query_row("INSERT INTO t VALUES (?) RETURNING n", [n], |row| {
        row.get(0)
    })
    .doing("add")
}

fn adds(n: u32) -> Change<'static> {
    Box::new(move |tx| add(tx, n))
}

#[test]
fn callers_who_come_at_the_same_time_share_commits_and_find_their_rows_on_the_disk() {
    const CALLERS: u32 = 64;
    const EACH: u32 = 20;
    let shop = shop();
    let before = shop.store.commits();
    let start = Barrier::new(CALLERS as usize);
    thread::scope(|scope| {
        for caller in 0..CALLERS {
            let (shop, start) = (&shop, &start);
            scope.spawn(move || {
                start.wait();
                for nth in 0..EACH {
                    let n = caller * EACH + nth;
                    assert_eq!(shop.add(n).unwrap(), n);
                    assert!(shop.is_there(n), "{n} is not on the disk");
                }
            });
        }
    });
    let commits = shop.store.commits() - before;
    let rows = CALLERS * EACH;
    assert_eq!(shop.numbers(), (0..rows).collect::<Vec<_>>());
    assert!(commits < u64::from(rows) / 3, "{commits} commits");
}

#[test]
fn those_in_line_are_served_in_the_order_in_which_they_came_and_one_commit_covers_them() {
    let shop = shop();
    let order = Mutex::new(Vec::new());
    let before = shop.store.commits();
    let order_of = |n: u32| -> Change<'_> {
        let order = &order;
        Box::new(move |tx| {
            order.lock().unwrap().push(n);
            add(tx, n)
        })
    };
    let done = shop.together((0..20).map(order_of).collect());
    assert!(done.into_iter().all(|one| one.unwrap().is_ok()));
    assert_eq!(*order.lock().unwrap(), (0..20).collect::<Vec<_>>());
    // One for those who came in time; a slow machine may close it before the last of them.
    assert!(shop.store.commits() - before <= 20);
}

#[test]
fn one_that_fails_or_panics_is_undone_alone() {
    let shop = shop();
    let changes: Vec<Change<'_>> = vec![
        adds(1),
        Box::new(|tx| {
            add(tx, 2)?;
            add(tx, 1)
        }),
        adds(3),
        Box::new(|tx| {
            add(tx, 4)?;
            panic!("a bug")
        }),
        adds(5),
    ];
    let done = shop.together(changes);
    let is_ok = |one: &thread::Result<Result<u32, Error>>| one.as_ref().ok().map(Result::is_ok);
    let told: Vec<_> = done.iter().map(is_ok).collect();
    let (yes, no) = (Some(true), Some(false));
    assert_eq!(told, [yes, no, yes, None, yes]);
    assert_eq!(shop.numbers(), [1, 3, 5]);
    shop.add(6).unwrap();
}

#[test]
fn where_the_commit_fails_everybody_is_told_so_and_the_next_one_works() {
    let shop = shop();
    let fault = Fault {
        nth: 1,
        is_after: false,
        code: ffi::SQLITE_FULL,
    };
    shop.store.fail_commit(fault);
    let done = shop.together((0..5).map(adds).collect());
    let told = done.into_iter().map(Result::unwrap);
    // Those that the failed commit covered: all, unless the machine is slow.
    let failed: Vec<_> = told.filter_map(Result::err).collect();
    assert!(
        failed
            .iter()
            .all(|error| error.disposition() == Disposition::Retry)
    );
    assert_eq!(shop.numbers().len() + failed.len(), 5);
    shop.add(9).unwrap();
    assert!(shop.is_there(9));
}

#[test]
fn a_full_disk_in_the_middle_of_a_part_takes_the_whole_transaction_and_nobody_is_told_it_is_done() {
    let shop = shop();
    shop.store.limit_pages(200).unwrap();
    let much = "CREATE TABLE big AS WITH RECURSIVE c(n) AS
        (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 3000) SELECT n, zeroblob(1000) FROM c";
    let changes: Vec<Change<'_>> = vec![
        adds(1),
        adds(2),
        Box::new(|tx| tx.execute_batch(much).doing("fill the disk").map(|()| 0)),
        adds(3),
    ];
    let told: Vec<_> = shop
        .together(changes)
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let full = told[2].as_ref().unwrap_err();
    assert_eq!(full.disposition(), Disposition::Retry, "{full}");
    let kept = [(0, 1), (1, 2), (3, 3)].map(|(nth, n)| (told[nth].is_ok(), shop.is_there(n)));
    for (is_told, is_there) in kept {
        assert_eq!(is_told, is_there, "{told:?}");
    }
    shop.store.limit_pages(u32::MAX - 1).unwrap();
    shop.add(4).unwrap();
}

#[test]
fn who_rests_behind_others_in_line_leaves_nobody_waiting_for_a_commit() {
    let Shop { store, folder } = shop();
    let store = std::sync::Arc::new(store);
    let (go_on, wait) = mpsc::channel::<()>();
    let (done, is_done) = mpsc::channel();
    let in_line = |number: usize| {
        while store.writer_line() < number {
            thread::yield_now();
        }
    };
    let spawn = |work: Box<dyn FnOnce(&Store) + Send>| {
        let (store, done) = (std::sync::Arc::clone(&store), done.clone());
        thread::spawn(move || {
            work(&store);
            drop(store);
            done.send(()).unwrap();
        });
    };
    let (begun, has_begun) = mpsc::channel();
    spawn(Box::new(move |store| {
        let first = store.write("begin", |_| {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            Ok(())
        });
        first.unwrap();
    }));
    has_begun.recv().unwrap();
    spawn(Box::new(|store| {
        store.write("add", |tx| add(tx, 1)).unwrap();
    }));
    in_line(1);
    spawn(Box::new(|store| store.rest().unwrap()));
    in_line(2);
    go_on.send(()).unwrap();
    for nth in 0..3 {
        let ended = is_done.recv_timeout(Duration::from_mins(2));
        assert!(ended.is_ok(), "{nth} ended, and the rest wait for ever");
    }
    let shop = Shop {
        store: std::sync::Arc::into_inner(store).unwrap(),
        folder,
    };
    assert!(shop.is_there(1));
}

#[test]
fn a_change_that_changes_nothing_is_no_commit() {
    let shop = shop();
    shop.add(1).unwrap();
    let before = shop.store.commits();
    let nothing = |tx: &Transaction<'_>| tx.execute("DELETE FROM t WHERE n = 7", []).doing("try");
    shop.store.write("try", nothing).unwrap();
    assert_eq!(shop.store.commits(), before);
    shop.add(2).unwrap();
    assert_eq!(shop.store.commits(), before + 1);
}

#[test]
fn a_caller_alone_who_fails_leaves_nothing_open() {
    let shop = shop();
    shop.add(1).unwrap();
    for _ in 0..3 {
        shop.add(1).unwrap_err();
    }
    shop.add(2).unwrap();
    assert_eq!(shop.numbers(), [1, 2]);
}
