use std::io::Read;

use criterion::{BenchmarkGroup, Criterion, Throughput, measurement::WallTime};
use kuori::{
    batch::{Archive, Limits},
    sample::Shape,
};
use libdeflater::{Decompressor, crc32};

use crate::{crowd, samples};

const ENTRIES: u32 = 100_000;

/// Opening a directory with all its checks, and unpacking beside the fastest decoder there is.
pub(crate) fn bench(criterion: &mut Criterion) {
    let zip = crowd::zip(ENTRIES);
    let mut group = criterion.benchmark_group("archive");
    group.throughput(Throughput::Elements(ENTRIES.into()));
    group.bench_function(format!("open/{ENTRIES}"), |bencher| {
        bencher.iter(|| Archive::open(&zip, &Limits::default()).unwrap());
    });
    let archive = Archive::open(&zip, &Limits::default()).unwrap();
    group.bench_function(format!("find/{ENTRIES}"), |bencher| {
        bencher.iter(|| {
            let entries = archive.entries().iter();
            entries
                .filter_map(|entry| archive.entry(&entry.name))
                .count()
        });
    });
    group.finish();
    inflate(criterion);
}

fn inflate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("inflate");
    let in_one = samples::batch(&samples::spec(10_000, Shape::ManyInOne));
    bench_entries(&mut group, "xml", &in_one, ".xml");
    let each_its_own = samples::batch(&samples::spec(300, Shape::Csv));
    bench_entries(&mut group, "pdf", &each_its_own, ".pdf");
}

/// All entries of a kind, counted and their checksums compared: as a stream, whole, and by
/// libdeflate, which must have an entry whole and the buffer for it.
fn bench_entries(
    group: &mut BenchmarkGroup<'_, WallTime>,
    kind: &str,
    zip: &[u8],
    extension: &str,
) {
    let archive = Archive::open(zip, &Limits::default()).unwrap();
    let of_kind = archive.entries().iter();
    let names: Vec<&str> = of_kind
        .map(|entry| entry.name.as_str())
        .filter(|name| name.ends_with(extension))
        .collect();
    let sizes = names.iter().map(|name| archive.entry(name).unwrap().size);
    group.throughput(Throughput::Bytes(sizes.sum()));
    group.bench_function(format!("{kind}/stream"), |bencher| {
        let mut buffer = vec![0; 64 << 10];
        bencher.iter(|| {
            for name in &names {
                stream(&archive, name, &mut buffer);
            }
        });
    });
    group.bench_function(format!("{kind}/whole"), |bencher| {
        bencher.iter(|| {
            let whole = names.iter().map(|name| archive.read(name).unwrap().len());
            whole.sum::<usize>()
        });
    });
    let packed: Vec<_> = names
        .iter()
        .map(|name| packed(zip, &archive, name))
        .collect();
    group.bench_function(format!("{kind}/libdeflate"), |bencher| {
        bencher.iter(|| packed.iter().for_each(libdeflate));
    });
}

fn stream(archive: &Archive<'_>, name: &str, buffer: &mut [u8]) {
    let mut reader = archive.reader(name).unwrap();
    while reader.read(buffer).unwrap() > 0 {}
}

/// An entry as it is in the ZIP, with its unpacked size and checksum.
struct Packed<'a> {
    bytes: &'a [u8],
    size: usize,
    crc: u32,
}

/// Samples have no extra fields, so the data begins behind the name.
fn packed<'a>(zip: &'a [u8], archive: &Archive<'_>, name: &str) -> Packed<'a> {
    let entry = archive.entry(name).unwrap();
    let is_name = |at: &usize| zip.get(*at..at + name.len()) == Some(name.as_bytes());
    let data = (30..zip.len()).find(is_name).unwrap() + name.len();
    let packed = usize::try_from(entry.packed_size).unwrap();
    Packed {
        bytes: zip.get(data..data + packed).unwrap(),
        size: usize::try_from(entry.size).unwrap(),
        crc: crc32(&archive.read(name).unwrap()),
    }
}

fn libdeflate(packed: &Packed<'_>) {
    let mut content = vec![0; packed.size];
    let unpacked = Decompressor::new().deflate_decompress(packed.bytes, &mut content);
    assert_eq!(unpacked.unwrap(), packed.size);
    assert_eq!(crc32(&content), packed.crc);
}
