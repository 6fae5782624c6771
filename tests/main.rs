//! One test binary, so that it links once. Each module tests the house from outside one of its doors.
