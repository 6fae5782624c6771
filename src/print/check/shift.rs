use std::fmt;

use crate::pdf::Area;

/// How far something has to be moved, and which way: `3 mm to the right`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shift {
    millimetres: f64,
    towards: Towards,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Towards {
    Right,
    Down,
    Left,
    Up,
}

impl Shift {
    /// The shortest way of the ink out of a zone that leads to where it may stand.
    pub(super) fn out_of(
        zone: &Area,
        ink: &Area,
        may_stand: impl Fn(&Area) -> bool,
    ) -> Option<Self> {
        let ways = [
            (Towards::Right, zone.right_mm - ink.left_mm),
            (Towards::Down, zone.bottom_mm - ink.top_mm),
            (Towards::Left, ink.right_mm - zone.left_mm),
            (Towards::Up, ink.bottom_mm - zone.top_mm),
        ];
        let ways = ways.map(|(towards, millimetres)| Self {
            millimetres,
            towards,
        });
        let ways = ways.into_iter().filter(|way| may_stand(&way.of(ink)));
        ways.min_by(|a, b| a.millimetres.total_cmp(&b.millimetres))
    }

    fn of(&self, ink: &Area) -> Area {
        let (right_mm, down_mm) = match self.towards {
            Towards::Right => (self.millimetres, 0.0),
            Towards::Down => (0.0, self.millimetres),
            Towards::Left => (-self.millimetres, 0.0),
            Towards::Up => (0.0, -self.millimetres),
        };
        Area {
            left_mm: ink.left_mm + right_mm,
            top_mm: ink.top_mm + down_mm,
            right_mm: ink.right_mm + right_mm,
            bottom_mm: ink.bottom_mm + down_mm,
        }
    }

    /// The way of the ink to where the window shows all of it, if it is small enough for the
    /// window: the longest of the ways in, where it sticks out of two edges.
    pub(super) fn into(window: &Area, ink: &Area) -> Option<Self> {
        let fits = ink.width_mm() <= window.width_mm() && ink.height_mm() <= window.height_mm();
        let ways = [
            (Towards::Right, window.left_mm - ink.left_mm),
            (Towards::Down, window.top_mm - ink.top_mm),
            (Towards::Left, ink.right_mm - window.right_mm),
            (Towards::Up, ink.bottom_mm - window.bottom_mm),
        ];
        let longest = ways.into_iter().max_by(|(_, a), (_, b)| a.total_cmp(b));
        let longest = longest.filter(|(_, distance)| fits && *distance > 0.0);
        longest.map(|(towards, millimetres)| Self {
            millimetres,
            towards,
        })
    }
}

impl Shift {
    pub(super) fn longer(self, other: Self) -> Self {
        if self.millimetres < other.millimetres {
            other
        } else {
            self
        }
    }
}

impl fmt::Display for Shift {
    /// Whole millimetres, rounded up so that the move suffices.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let towards = match self.towards {
            Towards::Right => "to the right",
            Towards::Down => "down",
            Towards::Left => "to the left",
            Towards::Up => "up",
        };
        write!(f, "{:.0} mm {towards}", self.millimetres.max(0.1).ceil())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Area = Area {
        left_mm: 0.0,
        top_mm: 0.0,
        right_mm: 210.0,
        bottom_mm: 297.0,
    };

    fn out(ink: Area) -> String {
        let zone = Area::at(3.5, 11.5, 9.0, 9.0);
        let shift = Shift::out_of(&zone, &ink, |place| PAGE.contains(place));
        shift.map_or_else(|| "nowhere".to_owned(), |shift| shift.to_string())
    }

    #[test]
    fn the_shortest_way_out_stays_on_the_page() {
        assert_eq!(out(Area::at(10.0, 14.0, 100.0, 4.0)), "3 mm to the right");
        // 1 mm to the left would do, but there is no room.
        assert_eq!(out(Area::at(0.0, 14.0, 4.5, 4.0)), "7 mm down");
        assert_eq!(out(Area::at(0.0, 9.0, 60.0, 3.0)), "1 mm up");
        assert_eq!(out(PAGE), "nowhere");
    }

    #[test]
    fn what_a_window_cuts_is_moved_into_it_if_it_is_small_enough() {
        let window = Area::at(21.0, 55.0, 72.0, 30.0);
        let moved = |ink| Shift::into(&window, &ink).map(|shift| shift.to_string());
        assert_eq!(moved(Area::at(22.0, 52.5, 30.0, 4.0)).unwrap(), "3 mm down");
        assert_eq!(
            moved(Area::at(90.0, 60.0, 30.0, 4.0)).unwrap(),
            "27 mm to the left"
        );
        assert_eq!(moved(Area::at(22.0, 60.0, 80.0, 4.0)), None);
        assert_eq!(moved(Area::at(22.0, 60.0, 30.0, 4.0)), None);
    }
}
