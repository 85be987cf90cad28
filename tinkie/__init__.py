"""The library that the programs of the OS share; it imports none of them."""
