"""Jobs on both databases: stopped, resumed, started twice, and with inputs that change under them."""
