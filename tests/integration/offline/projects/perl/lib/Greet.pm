package Greet;
use JSON::XS;
sub greet { return encode_json([6 * 7]) }
1;
