"""Ways of writing labels down that several datasets share: polygons, run lengths, segments."""
