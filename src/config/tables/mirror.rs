/// Ties a table to a room's settings whose fields have the same names and types: the table's
/// defaults are the room's, and a field that the room gains does not compile until it is placed.
macro_rules! mirror {
    ($table:ident of $settings:path { $($field:ident),+ $(,)? }) => {
        mirror!($table of $settings { $($field),+ } besides {});
    };
    ($table:ident of $settings:path { $($field:ident),+ $(,)? } besides { $($other:ident),* }) => {
        impl Default for $table {
            fn default() -> Self {
                let $settings { $($field,)+ $($other: _,)* } = Default::default();
                Self { $($field),+ }
            }
        }

        impl $table {
            /// Sets what the table holds and leaves the rest.
            fn set(self, settings: &mut $settings) {
                $(settings.$field = self.$field;)+
            }
        }
    };
}

pub(super) use mirror;
