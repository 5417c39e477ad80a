"""The maths: pure functions, arrays in and arrays out; no state, no clock, no input or output."""
